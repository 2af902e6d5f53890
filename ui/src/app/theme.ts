import { createTheme, Loader, type CSSVariablesResolver } from '@mantine/core';

export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: 'md',
  respectReducedMotion: true,
  cursorType: 'pointer',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: '650' },
  // A label on something without a role is read to nobody.
  components: { Loader: Loader.extend({ defaultProps: { role: 'status' } }) },
});

/** Mantine's own help, error and placeholder colours miss 4.5:1. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#56606b',
    '--mantine-color-error': '#b3202a',
    '--mantine-color-placeholder': '#6b7280',
    '--mantine-color-anchor': '#2b46b8',
    '--tg-waiting': '#a34100',
    '--tg-ground': '#f6f7f9',
  },
  dark: {
    '--mantine-color-dimmed': '#a9b1ba',
    '--mantine-color-error': '#ff8f8f',
    '--mantine-color-placeholder': '#9aa3ad',
    '--mantine-color-anchor': '#9db4ff',
    '--tg-waiting': '#ffa94d',
    '--tg-ground': '#1a1b1e',
  },
});
