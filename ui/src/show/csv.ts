/** Text with separators, as a spreadsheet opens it. */

const SEPARATES = /[",\r\n]|^\s|\s$/;
/** A spreadsheet would compute what begins like this; a number may begin with a sign. */
const COMPUTED = /^(?:[=@\t\r]|[+-](?![0-9.]+(?:e[+-]?[0-9]+)?$))/i;

/** A field of a line: quoted where it must be, and never a formula. */
export function csvField(text: string): string {
  const safe = COMPUTED.test(text) ? `'${text}` : text;
  return SEPARATES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csvLine(fields: readonly string[]): string {
  return `${fields.map(csvField).join(',')}\r\n`;
}
