// The colours of the editors: Monaco's, on GraphiQL's background, with Itemcast's accent.

import { editor } from 'monaco-graphql/esm/monaco-editor.js';

/** For GraphiQL's editorTheme. */
export const editorTheme = { light: 'itemcast-light', dark: 'itemcast-dark' };

editor.defineTheme(editorTheme.light, theme('vs', { accent: '#4f46e5', popup: '#ffffff', input: '#3b4b6811' }));
editor.defineTheme(editorTheme.dark, theme('vs-dark', { accent: '#a5a0ff', popup: '#212a3b', input: '#b7c2d711' }));

function theme(base, { accent, popup, input }) {
  const tint = `${accent}22`;
  const colors = {
    'editor.background': '#ffffff00',
    'scrollbar.shadow': '#ffffff00',
    'editorWidget.background': popup,
    'editorHoverWidget.background': popup,
    'editorSuggestWidget.background': popup,
    'editorSuggestWidget.selectedBackground': tint,
    'editorSuggestWidget.selectedForeground': accent,
    'editorWidget.resizeBorder': accent,
    'input.background': input,
    'inputOption.hoverBackground': tint,
    'list.hoverBackground': tint,
    'list.highlightForeground': accent,
    'list.focusHighlightForeground': accent,
    'menu.background': popup,
    'menu.selectionBackground': tint,
    'menu.selectionForeground': accent,
    'quickInput.background': popup,
    'quickInputList.focusBackground': tint,
    'textLink.foreground': accent,
    'textLink.activeForeground': accent,
    'editorLink.activeForeground': accent,
    'toolbar.hoverBackground': tint,
    focusBorder: accent,
  };
  return { base, inherit: true, colors, rules: [] };
}
