/** What INFO shows of the endpoint's life; plain numbers, raised where things happen. */
export class Counters {
  connections = 0;
  rejectedConnections = 0;
  commands = 0;
  errors = 0;
  inputBytes = 0;
  outputBytes = 0;
  authenticationFailures = 0;
  /** Times a network was locked out. */
  lockouts = 0;
  /** Passwords of networks locked out: nobody looked at them. */
  lockedAttempts = 0;
  /** Requests the role of their user did not allow. */
  permissionsDenied = 0;
  protocolErrors = 0;
  slowReadersClosed = 0;
  /** Replies sent without a request: messages of subscriptions. */
  pushes = 0;
  /** Those a client was too slow for. */
  pushesDropped = 0;
  /** Closed because they did not authenticate in time. */
  guestTimeouts = 0;
  /** Closed because they asked nothing for too long. */
  idleClosed = 0;
  tlsConnections = 0;
  /** Handshakes that did not come to an end. */
  tlsFailures = 0;
  /** Plain connections where only TLS is spoken. */
  plainRefused = 0;
  /** Now, not ever: unfinished requests of connections that have not authenticated. */
  guestBytes = 0;
}
