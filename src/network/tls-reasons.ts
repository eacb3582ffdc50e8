import { errorCode, errorText } from "../base/errors.ts";

const CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset, perhaps not a TLS server",
  EHOSTUNREACH: "no answer on the network (host unreachable)",
  ENETUNREACH: "no route to it",
  EADDRNOTAVAIL: "no address to reach it from",
  ETIMEDOUT: "no answer",
  ENOTFOUND: "its name is not known",
  EAI_AGAIN: "name server does not answer",
};

const NOT_OURS = [
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
  "INVALID_CA",
];

/**
 * Why a TLS connection failed, for a person at the console.
 *
 * @param caFile Path of the CA the certificate was checked with.
 */
export function plainTlsReason(error: unknown, caFile: string): string {
  const code = errorCode(error) ?? "";
  if (NOT_OURS.includes(code)) return `certificate not signed by the CA in ${caFile}`;
  if (code === "CERT_HAS_EXPIRED") return `certificate has expired, or the clock is wrong`;
  if (code === "CERT_NOT_YET_VALID") return `certificate is not valid yet, or the clock is wrong`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "certificate is for another name";
  // What OpenSSL says when the other side talks something else, plain HTTP for example.
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNSUPPORTED_PROTOCOL)/.test(code)) {
    return "not a TLS server";
  }
  return CONNECTION[code] ?? firstLine(errorText(error));
}

function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}
