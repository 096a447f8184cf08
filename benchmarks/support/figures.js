/** Figures of several rounds: a median, and how far the rounds lay apart. */

exports.median = (values) => at(sorted(values), 0.5)

/** Percentile by rank, 0 to 1. */
exports.percentile = (values, rank) => at(sorted(values), rank)

/** `12.3 (11.9 to 13.0)`: median, lowest and highest. */
exports.spread = (values, digits = 2) => {
  const all = sorted(values)
  return `${at(all, 0.5).toFixed(digits)} (${all[0].toFixed(digits)} to ${all.at(-1).toFixed(digits)})`
}

/** Prints rows of equal length as a Markdown table, the first being its head. */
exports.table = ([head, ...rows]) => {
  const all = [head, head.map(() => '---'), ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => String(row[column]).length)))
  for (const row of all)
    console.log(`| ${row.map((cell, column) => String(cell).padEnd(widths[column])).join(' | ')} |`)
}

const sorted = (values) => [...values].sort((a, b) => a - b)
const at = (values, rank) => values[Math.min(values.length - 1, Math.floor(values.length * rank))]
