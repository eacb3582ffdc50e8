/** Hardware address QEMU gives the card of that number when nobody names one. */
export function machineMac(card = 0): string {
  return `52:54:00:12:34:${(0x56 + card).toString(16)}`;
}
