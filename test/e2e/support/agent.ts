/** Shell command that kills the agent. Other programs of Node.js run too, so a name is not enough. */
export const KILL_AGENT =
  "kill -9 $(ps -o pid,args | sed -n 's/^ *\\([0-9]*\\) .*agent[.]cjs.*/\\1/p')";
