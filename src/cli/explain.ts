import { type AgentError, errorText } from "../base/errors.ts";
import { printable } from "./table.ts";

/** One line for a person: what went wrong, where, and what to do about it. */
export function explainError(error: AgentError): string {
  const advice = adviceFor(error);
  const job = jobHint(error);
  return [printable(errorText(error)), advice, job].filter((part) => part !== "").join("; ");
}

function adviceFor(error: AgentError): string {
  if (error.code === "E_AUTH") {
    return error.fields["isGiven"] === true
      ? "the password file holds another machine's password"
      : "name the password file with --password-file";
  }
  if (error.code === "E_CONNECT") return connectAdvice(String(error.fields["reason"]));
  if (error.code === "E_DEADLINE") return "a longer --timeout waits longer";
  return "";
}

function connectAdvice(reason: string): string {
  switch (reason) {
    case "EACCES":
      return "the socket belongs to another user";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "check the spelling of --host";
    case "ETIMEDOUT":
      return "the machine may still be booting: see its serial log";
    default:
      return 'is the machine up? Start one with scripts/up, see "node0 context" for what is used';
  }
}

/** A job whose outcome is not known can still be asked for. */
function jobHint(error: AgentError): string {
  const id = error.fields["id"];
  const isOpen = ["E_DEADLINE", "E_ABORTED", "E_CONNECTION_LOST", "E_CONNECT"].includes(error.code);
  return isOpen && typeof id === "string" ? `the job may go on: node0 result ${printable(id)}` : "";
}
