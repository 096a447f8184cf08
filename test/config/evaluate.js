/** Loads the settings of the working directory with a short deadline, and prints the problems: `node evaluate.js MS`. */
const { loadConfig } = require('../../dist/config/load.js')
const { describeProblem } = require('../../dist/config/problems.js')

loadConfig([], process.env, process.cwd(), { deadline: Number(process.argv[2]) }).then((found) => {
  for (const problem of found.problems ?? []) console.log(describeProblem(problem))
})
