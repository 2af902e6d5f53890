/** Have the browser store a text as a file. */
export function download(name: string, text: string, media: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: media }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
