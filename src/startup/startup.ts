import { errorText } from "../base/errors.ts";
import { type ParsedFile, parseFile } from "./parse-file.ts";
import { planServices } from "./plan.ts";
import { readTexts, type StartupPlace } from "./read-texts.ts";
import { type RunContext, type RunnerOptions, StartupRunner } from "./runner.ts";
import type { Milestone, StartupExtension, StartupService } from "./types.ts";

export interface StartupOptions extends Omit<RunnerOptions, "isScript"> {
  /** Makes a command of it. @throws AgentError saying why it cannot be one. */
  readonly addExtension: (extension: StartupExtension) => void;
}

const MAX_SERVICES = 2000;
/** Programs that read a script from an argument. */
const SHELLS = new Set(["sh", "bash", "ash", "dash", "busybox", "ksh", "zsh"]);

/** Start-up services and extensions of the configuration. Loaded only where there are some. */
export class Startup {
  readonly #options: StartupOptions;
  readonly #runner: StartupRunner;
  /** Commands whose texts a shell reads. */
  readonly #scripts = new Set(["bash"]);

  constructor(options: StartupOptions) {
    this.#options = options;
    this.#runner = new StartupRunner({
      ...options,
      isScript: (command) => this.#scripts.has(command),
    });
  }

  /**
   * Reads configuration files, takes their extensions and gets ready to start their services.
   *
   * @returns What cannot be used, one sentence each.
   */
  async load(places: readonly StartupPlace[]): Promise<string[]> {
    const { texts, problems } = await readTexts(places);
    const files: ParsedFile[] = [];
    for (const text of texts) {
      files.push(parseFile(text));
      // Others get their turn: a large file takes a tenth of a second.
      await new Promise((next) => setImmediate(next));
    }
    problems.push(...files.flatMap((file) => file.problems));
    problems.push(...this.addExtensions(files.flatMap(({ extensions }) => extensions)));
    problems.push(...this.#addServices(files.flatMap(({ services }) => services)));
    return problems.map(printable);
  }

  /** @returns What cannot be used, one sentence each. */
  addExtensions(extensions: readonly StartupExtension[]): string[] {
    return extensions.flatMap((extension) => {
      try {
        this.#options.addExtension(extension);
        if (readsScripts(extension)) this.#scripts.add(extension.name);
        return [];
      } catch (error) {
        return [
          `Cannot use extension ${extension.name} of ${extension.place}: ${errorText(error)}`,
        ];
      }
    });
  }

  isDue(milestone: Milestone): boolean {
    return this.#runner.isDue(milestone);
  }

  /** @see StartupRunner.run */
  run(milestone: Milestone, context: RunContext): Promise<string> {
    return this.#runner.run(milestone, context);
  }

  /** Of services with one name the last one counts, as long as none has been started. */
  #addServices(services: readonly StartupService[]): string[] {
    const problems: string[] = [];
    const byId = new Map<string, StartupService>();
    for (const service of services) {
      if (this.#runner.hasBegun(service.id)) {
        problems.push(
          `Cannot start service ${service.id} of ${service.place}: one of this name was started`,
        );
      } else byId.set(service.id, service);
    }
    const usable = [...byId.values()].slice(0, MAX_SERVICES);
    if (usable.length < byId.size) {
      problems.push(
        `Cannot start all services: ${byId.size} seen, expected at most ${MAX_SERVICES}`,
      );
    }
    const plan = planServices(usable, this.#runner.planned);
    this.#runner.add(plan.planned);
    return [...problems, ...plan.problems];
  }
}

/** Whether what is put into its arguments is read by a shell, perhaps one another program starts. */
export function readsScripts({ binary, args }: Pick<StartupExtension, "binary" | "args">): boolean {
  const names = [binary, ...args].map((word) => word.split("/").at(-1) ?? "");
  const takesScript = args.some((arg) => /^-[a-z]*c/.test(arg));
  return takesScript && names.some((name) => SHELLS.has(name));
}

/** Problems go to consoles, and name what stands in files. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "?");
}
