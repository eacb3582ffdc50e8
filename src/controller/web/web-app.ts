import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../base/clock.ts";
import { AgentError, errorText } from "../../base/errors.ts";
import type { Logger } from "../../log/logger.ts";
import { sendAsset } from "./assets.ts";
import { AUDIT_PAGE_SIZE, readAuditLast, renderAudit } from "./audit-page.ts";
import {
  addressOf,
  isOwnForm,
  noSessionCookie,
  readForm,
  readSessionId,
  redirect,
  sendPage,
} from "./http.ts";
import { Live, type Watched } from "./live.ts";
import { Login } from "./login.ts";
import { renderMessage } from "./login-page.ts";
import { renderNode } from "./node-page.ts";
import { pickNodes, readView, renderNodes } from "./nodes-page.ts";
import { POLICIES, renderPolicy } from "./policy-page.ts";
import { isSameSecret, type Session, Sessions } from "./sessions.ts";
import { DECISIONS, type DecisionName, type WebController } from "./web-controller.ts";

export interface WebAppOptions {
  readonly controller: WebController;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface WebApp {
  /** Answers a request that is for the page. @returns False, and has done nothing, for any other. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Logs everybody out, for a new operator token. */
  endSessions(): void;
  /** Ends live connections: the server cannot close before. */
  close(): void;
}

/** The operators' page of a controller: pages rendered here, forms, and a stream of what changes. */
export function createWebApp(options: WebAppOptions): WebApp {
  const pages = new Pages(options);
  return {
    handle: (request, response) => pages.handle(request, response),
    endSessions: () => pages.sessions.endAll(),
    close: () => pages.live.close(),
  };
}

/** One request of a logged-in operator. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly session: Session;
  readonly sessionId: string;
  readonly query: URLSearchParams;
  /** The parts of the path in parentheses. */
  readonly words: readonly string[];
  /** Of a POST, with the right token. */
  readonly form: URLSearchParams;
}

interface Route {
  readonly method: "GET" | "POST";
  readonly path: RegExp;
  readonly run: (visit: Visit) => Promise<void>;
}

const ID = "([a-z0-9]{1,64})";
const NO_FORM = new URLSearchParams();

class Pages {
  readonly sessions: Sessions;
  readonly live: Live;
  readonly #controller: WebController;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #login: Login;
  readonly #routes: readonly Route[];

  constructor({ controller, clock, log }: WebAppOptions) {
    this.#controller = controller;
    this.#clock = clock;
    this.#log = log;
    this.sessions = new Sessions(clock);
    this.live = new Live({ controller, clock, log, endOldSessions: () => this.sessions.endOld() });
    this.#login = new Login({ controller, sessions: this.sessions, clock });
    this.#routes = [
      { method: "GET", path: /^\/$/, run: (visit) => this.#showNodes(visit) },
      {
        method: "GET",
        path: new RegExp(`^/machines/${ID}$`),
        run: (visit) => this.#showNode(visit),
      },
      {
        method: "POST",
        path: new RegExp(`^/machines/${ID}/(approve|reject|revoke)$`),
        run: (visit) => this.#decide(visit),
      },
      { method: "GET", path: /^\/audit$/, run: (visit) => this.#showAudit(visit) },
      { method: "GET", path: /^\/policy$/, run: (visit) => this.#showPolicy(visit) },
      { method: "POST", path: /^\/policy$/, run: (visit) => this.#setPolicy(visit) },
      { method: "GET", path: /^\/events$/, run: (visit) => this.#showChanges(visit) },
      { method: "POST", path: /^\/logout$/, run: (visit) => this.#logOut(visit) },
    ];
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const url = URL.parse(request.url ?? "/", "https://controller");
    if (url === null) return false;
    const method = request.method === "HEAD" ? "GET" : request.method;
    const { pathname, searchParams: query } = url;
    if (method === "GET" && sendAsset(response, pathname)) return true;
    try {
      if (pathname === "/login" && method === "GET") {
        this.#login.show(request, response);
        return true;
      }
      if (pathname === "/login" && method === "POST") {
        await this.#login.take(request, response);
        return true;
      }
      const found = this.#routes.filter(({ path }) => path.test(pathname));
      if (found.length === 0) return false;
      const route = found.find((entry) => entry.method === method);
      if (route === undefined) {
        sendPage(
          response,
          405,
          renderMessage("Not possible", `There is no ${method} of this page.`),
          {
            allow: found.map((entry) => entry.method).join(", "),
          },
        );
        return true;
      }
      const words = route.path.exec(pathname)?.slice(1) ?? [];
      await this.#visit(route, { request, response, query, words });
    } catch (error) {
      this.#log.error("page failed", { path: pathname, reason: errorText(error) });
      if (response.headersSent) response.destroy();
      else
        sendPage(
          response,
          500,
          renderMessage("Something failed", "The log of the controller says what."),
        );
    }
    return true;
  }

  async #visit(
    route: Route,
    asked: Pick<Visit, "request" | "response" | "query" | "words">,
  ): Promise<void> {
    const { request, response } = asked;
    const sessionId = readSessionId(request);
    const session = this.sessions.find(sessionId);
    const isStream = route.path.test("/events");
    if (session === undefined) {
      // An event stream has no use for a page: the script loads the page anew, which leads to the login.
      if (isStream) sendPage(response, 401, renderMessage("Logged out", "Log in again."));
      else redirect(response, "/login");
      return;
    }
    if (!isStream) this.sessions.touch(session);
    let form = NO_FORM;
    if (route.method === "POST") {
      const read = await readForm(request);
      if (
        read === undefined ||
        !isOwnForm(request) ||
        !isSameSecret(read.get("csrf") ?? "", session.csrf)
      ) {
        this.#log.warn("form refused", { path: request.url, address: addressOf(request) });
        const text = "This form is not of your login, or too old. Nothing was changed.";
        sendPage(response, 403, renderMessage("Form refused", text), { connection: "close" });
        return;
      }
      form = read;
    }
    await route.run({ ...asked, session, sessionId, form });
  }

  async #logOut({ response, sessionId }: Visit): Promise<void> {
    this.sessions.end(sessionId);
    redirect(response, "/login", noSessionCookie());
  }

  async #showNodes({ response, session, query }: Visit): Promise<void> {
    const view = readView(query);
    const page = await pickNodes(this.#controller, view);
    sendPage(response, 200, renderNodes(page, view, this.#context(session)));
  }

  async #showNode({ response, session, words }: Visit): Promise<void> {
    const [id = ""] = words;
    const node = await this.#controller.getNode(id);
    if (node === undefined) {
      const text = `No machine has the id ${id}. It may have been removed.`;
      return sendPage(response, 404, renderMessage("No such machine", text));
    }
    const certificates = await this.#controller.certificates(id);
    sendPage(response, 200, renderNode(node, certificates, this.#context(session)));
  }

  async #decide({ request, response, session, words, form }: Visit): Promise<void> {
    const [id = "", decision] = words as [string, DecisionName];
    const node = await this.#controller.getNode(id);
    const seen = form.get("seen");
    const back = readBack(form.get("back"), id);
    if (node === undefined) {
      session.flash = { kind: "failed", text: `Machine ${id} is not known any more.` };
    } else if (node.state !== seen || !DECISIONS[decision].includes(node.state)) {
      const text = `Machine ${id} is ${node.state} by now. Nothing was changed.`;
      session.flash = { kind: "failed", text };
    } else {
      const note = (form.get("note") ?? "").trim().slice(0, 256);
      try {
        await this.#controller[decision](id, { note, from: addressOf(request) });
        session.flash = { kind: "done", text: `Machine ${id} is ${DONE[decision]}.` };
      } catch (error) {
        if (!(error instanceof AgentError)) throw error;
        session.flash = { kind: "failed", text: error.message };
      }
    }
    redirect(response, back);
  }

  async #showAudit({ response, session, query }: Visit): Promise<void> {
    const end = await this.#controller.auditEnd();
    const last = readAuditLast(query, end);
    const after = Math.max(0, last - AUDIT_PAGE_SIZE);
    const entries = await this.#controller.audit(after, last - after);
    sendPage(response, 200, renderAudit({ entries, last, end }, this.#context(session)));
  }

  async #showPolicy({ response, session }: Visit): Promise<void> {
    const policy = await this.#controller.policy();
    sendPage(response, 200, renderPolicy(policy, this.#context(session)));
  }

  async #setPolicy({ request, response, session, form }: Visit): Promise<void> {
    const policy = POLICIES.map(([name]) => name).find((name) => name === form.get("policy"));
    if (policy === undefined) session.flash = { kind: "failed", text: "Choose a policy." };
    else {
      await this.#controller.setPolicy(policy, addressOf(request));
      session.flash = { kind: "done", text: `The policy is ${policy} now.` };
    }
    redirect(response, "/policy");
  }

  async #showChanges({ response, session, query }: Visit): Promise<void> {
    if (this.live.isFull) {
      const text = "Too many pages are open.";
      return sendPage(response, 503, renderMessage("Not live", text), { "retry-after": 60 });
    }
    const node = query.get("node");
    const watched: Watched =
      node === null
        ? { list: readView(query), ids: new Set(query.getAll("id").slice(0, 200)) }
        : { node };
    await this.live.open(response, session, watched);
  }

  #context(session: Session): { readonly session: Session; readonly nowMs: number } {
    return { session, nowMs: this.#clock.wallMs() };
  }
}

const DONE: Readonly<Record<DecisionName, string>> = {
  approve: "approved",
  reject: "rejected",
  revoke: "revoked",
};

/** Where a form leads: the list with its filter, or the machine; never anywhere else. */
function readBack(text: string | null, id: string): string {
  return text !== null && /^\/(\?[\w=&%.+:~*-]*)?$/.test(text) ? text : `/machines/${id}`;
}
