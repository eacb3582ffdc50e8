/** What is downloaded and where to. */
export interface DownloadRequest {
  /** http or https; may hold a password, so it is neither shown nor logged. */
  readonly url: string;
  /** Absolute path. */
  readonly destination: string;
  readonly limits: DownloadLimits;
}

export interface DownloadLimits {
  /** Largest number of bytes. */
  readonly bytes: number;
  /** Milliseconds without a byte, and for everything. */
  readonly stallMs: number;
  readonly totalMs: number;
}

/** What the process that downloads tells. `progress`: bytes came since it told so last. */
export type DownloadReply =
  | { readonly progress: true }
  | { readonly bytes: number }
  | { readonly error: string };

const GIB = 2 ** 30;

export const DEFAULT_DOWNLOAD_LIMITS: DownloadLimits = {
  bytes: 256 * GIB,
  stallMs: 60_000,
  totalMs: 7_200_000,
};
