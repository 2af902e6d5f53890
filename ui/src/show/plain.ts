/** Return the first line of a Markdown text without its marks; anything else stays: `5 * 3`, `a_b_c`, `<name>`. */
export function firstLine(markdown: string): string {
  const line =
    markdown
      .trim()
      .split('\n')
      .find((each) => !/^\s*(```|~~~|[-=*_]{3,}\s*$)/.test(each)) ?? '';
  return line
    .replace(/^\s*(?:#{1,6}\s+|>\s?|[-*+]\s+|\d+[.)]\s+)/, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(`+)(.+?)\1/g, '$2')
    .replace(/(\*\*|__)(?=\S)(.+?)(?<=\S)\1/g, '$2')
    .replace(/(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*(?![\w*])/g, '$1')
    .replace(/(?<!\w)_(?=[^\s_])([^_]+?)(?<=[^\s_])_(?!\w)/g, '$1')
    .trim();
}
