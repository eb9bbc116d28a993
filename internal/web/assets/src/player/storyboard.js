/** Reads the index of a storyboard: cues whose text is sheet.jpg#xywh=x,y,width,height. */
export async function readStoryboard(address) {
  const answer = await fetch(address);
  if (!answer.ok) return [];
  const cues = [];
  const cue = /^(?:(\d+):)?(\d\d):(\d\d\.\d{3}) --> .*\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/gm;
  for (const [, h = 0, m, s, sheet, ...place] of (await answer.text()).replaceAll('\r\n', '\n').matchAll(cue)) {
    const [x, y, width, height] = place.map(Number);
    cues.push({ from: h * 3600 + m * 60 + Number(s), url: new URL(sheet, answer.url).href, x, y, width, height });
  }
  return cues;
}

/** The picture of a time; undefined if there is none. */
export function pictureAt(cues, seconds) {
  return cues.findLast(({ from }) => from <= seconds) ?? cues[0];
}
