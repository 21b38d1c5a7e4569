import { summary } from './statistics.mjs'

/**
 * What was found: figures of ours, paired round by round with the floor's where there is one. The target is a bound
 * of the median: of the ratio with a floor, else of the figure itself.
 */
export function finding({ measure, unit, figures, floor, most, least }) {
  const ratios = floor?.map((value, i) => figures[i] / value)
  const judged = summary(ratios ?? figures).median
  const met = (most === undefined || judged <= most) && (least === undefined || judged >= least)
  return {
    measure,
    unit,
    ours: summary(figures),
    floor: floor && summary(floor),
    ratio: ratios && summary(ratios),
    target: { most, least },
    met: most === undefined && least === undefined ? undefined : met,
    raw: { ours: figures, floor },
  }
}

export const cpuPerFrame = result => result.cpuNs / result.frames
export const framesPerSecond = result => result.frames / (result.wallNs / 1e9)
export const framesPerCpuSecond = result => result.frames / (result.cpuNs / 1e9)
