/** How the machine is told to go down for good. */
export interface MachinePower {
  /** Returns at once; the machine stops within the time limit of PID 1. */
  requestReboot(): void;
  requestPoweroff(): void;
}
