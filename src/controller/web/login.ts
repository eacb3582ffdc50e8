import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../base/clock.ts";
import {
  addressOf,
  isOwnForm,
  readForm,
  readSessionId,
  redirect,
  sendPage,
  sessionCookie,
} from "./http.ts";
import { LoginGuard } from "./login-guard.ts";
import { renderLogin } from "./login-page.ts";
import type { Sessions } from "./sessions.ts";
import type { WebController } from "./web-controller.ts";

/** Every wrong token is answered this late. */
const ANSWER_DELAY_MS = 500;

/** The page and the form at `/login`. The token is the password; there is one operator. */
export class Login {
  readonly #controller: Pick<WebController, "checkToken" | "recordLogin">;
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #guard: LoginGuard;

  constructor(options: {
    readonly controller: Pick<WebController, "checkToken" | "recordLogin">;
    readonly sessions: Sessions;
    readonly clock: Clock;
  }) {
    this.#controller = options.controller;
    this.#sessions = options.sessions;
    this.#clock = options.clock;
    this.#guard = new LoginGuard(options.clock);
  }

  show(request: IncomingMessage, response: ServerResponse): void {
    const isLoggedIn = this.#sessions.find(readSessionId(request)) !== undefined;
    if (isLoggedIn) redirect(response, "/");
    else sendPage(response, 200, renderLogin(""));
  }

  /**
   * Takes the form. The token has 256 bits, so the right one passes even while others guess from the
   * same address; wrong ones are answered late and, from then on, less and less often.
   */
  async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = isOwnForm(request) ? await readForm(request) : undefined;
    if (form === undefined) {
      const page = renderLogin("This form came from another page.");
      return sendPage(response, 403, page, { connection: "close" });
    }
    const from = addressOf(request);
    const token = (form.get("token") ?? "").trim();
    if (token === "" || !(await this.#controller.checkToken(token))) {
      return await this.#refuse(response, from);
    }
    this.#guard.succeeded(from);
    await this.#controller.recordLogin("done", from);
    // A new id for each login: nobody can have planted it.
    this.#sessions.end(readSessionId(request));
    redirect(response, "/", sessionCookie(this.#sessions.start().id));
  }

  async #refuse(response: ServerResponse, from: string): Promise<void> {
    const waitMs = this.#guard.waitMs(from);
    // Counted before anything is waited for: tries at the same time are not all the first one.
    if (waitMs === 0) this.#guard.failed(from);
    await this.#controller.recordLogin(waitMs > 0 ? "throttled" : "failed", from);
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      const page = renderLogin(`Too many wrong tokens. Wait ${seconds} s.`);
      return sendPage(response, 429, page, { "retry-after": seconds });
    }
    await new Promise<void>((resolve) => this.#clock.after(ANSWER_DELAY_MS, resolve));
    sendPage(response, 401, renderLogin("This is not the operator token."));
  }
}
