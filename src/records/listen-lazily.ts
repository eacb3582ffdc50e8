import type { MessageHub, MessageListener } from "../job/message-hub.ts";
import type { JobMessage } from "../job/types.ts";

/**
 * Hears all messages for a listener that is loaded with the first one it wants, or when somebody asks
 * for it: the start of the agent pays for a function call only. What comes while it loads is kept and
 * handed to it in order.
 *
 * @param parts.wants Whether a message is worth loading the listener for.
 * @returns The listener; the first call loads it. It rejects when it cannot be loaded; the next
 *   message or call then tries again.
 */
export function listenLazily<T extends MessageListener>(parts: {
  readonly hub: MessageHub;
  readonly wants: (message: JobMessage) => boolean;
  readonly load: () => Promise<T>;
  readonly onError: (error: unknown) => void;
}): () => Promise<T> {
  const { hub, wants, load, onError } = parts;
  let loaded: T | undefined;
  let loading: Promise<T> | undefined;
  let early: JobMessage[] = [];
  const hand = (listener: T, message: JobMessage): void => {
    try {
      listener.message?.(message);
    } catch (error) {
      onError(error);
    }
  };
  const open = (): Promise<T> => {
    loading ??= load().then(
      (listener) => {
        for (const message of early) hand(listener, message);
        early = [];
        loaded = listener;
        return listener;
      },
      (error: unknown) => {
        early = [];
        loading = undefined;
        throw error;
      },
    );
    return loading;
  };
  hub.listen({
    message: (message) => {
      if (loaded !== undefined) {
        loaded.message?.(message);
      } else if (wants(message)) {
        early.push(message);
        if (loading === undefined) open().catch(onError);
      }
    },
  });
  return open;
}
