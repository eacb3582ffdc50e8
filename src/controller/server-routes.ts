import type { Gauge } from "./metrics.ts";
import type { Route } from "./router.ts";
import { nodeRoutes } from "./routes/node-routes.ts";
import { operatorRoutes } from "./routes/operator-routes.ts";
import { privateRoute } from "./routes/private-route.ts";
import { serviceRoutes } from "./routes/service-routes.ts";
import type { Core } from "./server-core.ts";
import type { Operator } from "./server-operator.ts";

/** Every route of the API; `etc/controller/openapi.json` describes the same ones. */
export function apiRoutes(
  core: Core,
  operator: Operator,
  gauges: () => readonly Gauge[],
): readonly Route[] {
  return [
    ...nodeRoutes(core),
    ...operatorRoutes(core, operator),
    privateRoute(core, operator),
    ...serviceRoutes(core, gauges),
  ];
}
