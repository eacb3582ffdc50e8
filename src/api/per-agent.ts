import type { Services } from "./services.ts";

/**
 * State that commands of one family share: made with the first use, one for each agent.
 *
 * @returns Finds the state of the agent that the services belong to.
 */
export function perAgent<T>(create: (services: Services) => T): (services: Services) => T {
  const states = new WeakMap<Services, T>();
  return (services) => {
    let state = states.get(services);
    if (state === undefined) {
      state = create(services);
      states.set(services, state);
    }
    return state;
  };
}
