/** Parsed firmware tables, in the shape of `info.dmi`. */
export interface DmiTables {
  readonly tooling: {
    /** The decoder as it names itself, or `unknown`. */
    readonly aggregator: string;
    /** Name and version of this parser. */
    readonly decoder: string;
  };
  readonly sections: readonly DmiSection[];
}

export interface DmiSection {
  /** The whole line, for example `Handle 0x0000, DMI type 0, 24 bytes`. */
  readonly handleline: string;
  readonly typestr: string;
  readonly typenum: number;
  readonly subsections: readonly DmiSubsection[];
}

export interface DmiSubsection {
  readonly title: string;
  readonly properties: Readonly<Record<string, DmiProperty>>;
}

export interface DmiProperty {
  value: string;
  /** Absent if there are none. */
  items?: string[];
}

const DECODER = "node0-dmi 1.0";

/**
 * Parses the text output of `dmidecode`. A structure begins with its handle line; titles stand at the
 * left edge, properties behind one tab, list items of a property behind two.
 * Source: dmidecode, `dmioutput.c`.
 */
export function parseDmi(text: string): DmiTables {
  const lines = text.split("\n").map((line) => line.trimEnd());
  const comment = lines.find((line) => line.startsWith("#"));
  const tables = new TableBuilder();
  for (const line of lines) tables.add(line);
  return {
    tooling: { aggregator: comment?.replace(/^#+\s*/, "") ?? "unknown", decoder: DECODER },
    sections: tables.sections,
  };
}

interface OpenSubsection {
  title: string;
  properties: Record<string, DmiProperty>;
}

/** What is open while lines arrive: the last structure, its last title, its last property. */
class TableBuilder {
  readonly sections: DmiSection[] = [];
  #titles: OpenSubsection[] | undefined;
  #property: DmiProperty | undefined;

  add(line: string): void {
    if (line.startsWith("Handle 0x")) this.#openSection(line);
    // A blank line ends a structure: what follows at the left edge is talk of the decoder.
    else if (line === "") this.#titles = undefined;
    else if (this.#titles === undefined) return;
    else if (line.startsWith("\t\t")) this.#addItem(line.trim());
    else if (line.startsWith("\t")) this.#addProperty(line.trim());
    else this.#titles.push({ title: line, properties: dictionary() });
  }

  #openSection(line: string): void {
    const type = Number(/DMI type (\d+)/.exec(line)?.[1] ?? 0);
    this.#titles = [];
    this.#property = undefined;
    this.sections.push({
      handleline: line,
      typestr: dmiTypeName(type),
      typenum: type,
      subsections: this.#titles,
    });
  }

  #addProperty(line: string): void {
    const colon = line.indexOf(":");
    const key = colon < 0 ? line : line.slice(0, colon);
    this.#property = { value: colon < 0 ? "" : line.slice(colon + 1).trim() };
    const subsection = this.#titles?.at(-1);
    if (subsection !== undefined) subsection.properties[key] = this.#property;
  }

  #addItem(item: string): void {
    if (this.#property === undefined) return;
    this.#property.items = [...(this.#property.items ?? []), item];
  }
}

/** Firmware chooses the keys: one called `__proto__` must stay a plain member. */
function dictionary(): Record<string, DmiProperty> {
  return Object.create(null) as Record<string, DmiProperty>;
}

/** Name of a structure type; numbers beyond 42 belong to manufacturers. */
export function dmiTypeName(type: number): string {
  return TYPE_NAMES[type] ?? `Custom Type ${type}`;
}

/**
 * By type number 0 to 42 (SMBIOS reference specification, 6.2 and 7). The spelling of 28 and 41 is
 * part of the protocol.
 */
const TYPE_NAMES: readonly string[] = [
  "BIOS",
  "System",
  "Baseboard",
  "Chassis",
  "Processor",
  "MemoryController",
  "MemoryModule",
  "Cache",
  "PortConnector",
  "SystemSlots",
  "OnBoardDevices",
  "OEMStrings",
  "SystemConfigurationOptions",
  "BIOSLanguage",
  "GroupAssociations",
  "SystemEventLog",
  "PhysicalMemoryArray",
  "MemoryDevice",
  "32BitMemoryError",
  "MemoryArrayMappedAddress",
  "MemoryDeviceMappedAddress",
  "BuiltinPointingDevice",
  "PortableBattery",
  "SystemReset",
  "HardwareSecurity",
  "SystemPowerControls",
  "VoltageProbe",
  "CoolingDevice",
  "TempratureProbe",
  "ElectricalCurrentProbe",
  "OutOfBandRemoteAccess",
  "BootIntegrityServices",
  "SystemBoot",
  "64BitMemoryError",
  "ManagementDevice",
  "ManagementDeviceComponent",
  "ManagementDeviceThresholdData",
  "MemoryChannel",
  "IPMIDevice",
  "PowerSupply",
  "AdditionalInformation",
  "OnboardDeviceExtendedInformation",
  "ManagementControllerHostInterface",
];
