/** What docs/deployment.md gives for Docker and Kubernetes is well-formed, fits together, and is what monoceros understands. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exposition } from '../../lib/metrics/exposition.ts'
import { snapshotOf } from '../metrics/snapshot.ts'
import { temporaryFolder } from '../support/folder.ts'
import { startMonoceros } from '../support/process.ts'

const { loadAll } = require('js-yaml') as { loadAll(text: string): unknown[] }

const page = (name: string): string => readFileSync(join(__dirname, '..', '..', 'docs', name), 'utf8')
const blocks = (language: string, text: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block]) => block!)

/**
 * A shape: the keys that an object may have (`!` at the end: must have), or what a value must be. The keys are those of the
 * Kubernetes API reference (apps/v1, v1, autoscaling/v2) that the page uses: one that is misspelt or misplaced is none of them.
 */
type Shape = 'text' | 'number' | 'texts' | readonly [Shape] | { readonly [key: string]: Shape }

const META = { 'name!': 'text', labels: 'texts', annotations: 'texts' } as const
const PROBE = {
  'httpGet!': { 'path!': 'text', 'port!': 'text' },
  periodSeconds: 'number',
  failureThreshold: 'number',
} as const
const CONTAINER = {
  'name!': 'text',
  'image!': 'text',
  args: ['text'],
  ports: [{ 'name!': 'text', 'containerPort!': 'number' }],
  startupProbe: PROBE,
  readinessProbe: PROBE,
  livenessProbe: PROBE,
  resources: { requests: 'texts', limits: 'texts' },
} as const
const TARGET = { 'type!': 'text', averageUtilization: 'number', averageValue: 'text' } as const
const KINDS: Readonly<Record<string, Shape>> = {
  'apps/v1 Deployment': {
    'apiVersion!': 'text',
    'kind!': 'text',
    'metadata!': META,
    'spec!': {
      replicas: 'number',
      'selector!': { 'matchLabels!': 'texts' },
      'template!': {
        'metadata!': { labels: 'texts', annotations: 'texts' },
        'spec!': { terminationGracePeriodSeconds: 'number', 'containers!': [CONTAINER] },
      },
    },
  },
  'v1 Service': {
    'apiVersion!': 'text',
    'kind!': 'text',
    'metadata!': META,
    'spec!': { 'selector!': 'texts', 'ports!': [{ 'name!': 'text', 'port!': 'number', targetPort: 'text' }] },
  },
  'autoscaling/v2 HorizontalPodAutoscaler': {
    'apiVersion!': 'text',
    'kind!': 'text',
    'metadata!': META,
    'spec!': {
      'scaleTargetRef!': { apiVersion: 'text', 'kind!': 'text', 'name!': 'text' },
      minReplicas: 'number',
      'maxReplicas!': 'number',
      metrics: [
        {
          'type!': 'text',
          resource: { 'name!': 'text', 'target!': TARGET },
          pods: { 'metric!': { 'name!': 'text' }, 'target!': TARGET },
        },
      ],
    },
  },
}

/** What is wrong with a value, by its path. */
function faults(value: unknown, shape: Shape, path = ''): string[] {
  if (shape === 'text') return typeof value === 'string' ? [] : [`${path} is no text`]
  if (shape === 'number') return Number.isSafeInteger(value) ? [] : [`${path} is no whole number`]
  if (typeof value !== 'object' || value === null) return [`${path} is no object or list`]
  if (shape === 'texts') return Object.entries(value).flatMap(([key, one]) => faults(one, 'text', `${path}.${key}`))
  if (Array.isArray(shape)) {
    if (!Array.isArray(value) || value.length === 0) return [`${path} is no list`]
    return value.flatMap((one, index) => faults(one, shape[0]!, `${path}[${index}]`))
  }
  const keys = Object.entries(shape as { readonly [key: string]: Shape })
  const names = keys.map(([key]) => key.replace('!', ''))
  return [
    ...Object.keys(value).flatMap((key) => (names.includes(key) ? [] : [`${path}.${key} is no key there`])),
    ...keys.flatMap(([key, inner]) => {
      const name = key.replace('!', '')
      const one = (value as Record<string, unknown>)[name]
      if (one === undefined) return key.endsWith('!') ? [`${path}.${name} is missing`] : []
      return faults(one, inner, `${path}.${name}`)
    }),
  ]
}

// biome-ignore lint/suspicious/noExplicitAny: what it is, `faults` has found out before.
type Document = any

const deployment = page('deployment.md')
const documents: Document[] = blocks('yaml', deployment).flatMap((block) => loadAll(block))
const find = (kind: string): Document => documents.find((one) => one.kind === kind)
const metrics = (): string[] => {
  const worker = { slot: 0, generation: 1, inFlight: 0, connections: 0, lag: 0, rss: 1, cpu: 1 }
  return [...exposition(snapshotOf({ workers: [worker] })).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!)
}

/** What `--check-config` says of these arguments, in a folder with the app. */
async function checked(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const folder = temporaryFolder({ 'server.js': '' })
  const program = startMonoceros([...args, '--check-config'], { cwd: folder })
  await program.ended()
  return { stdout: program.stdout, stderr: program.stderr }
}

test('Each Kubernetes manifest has the keys of its kind, and no others.', () => {
  const kinds = documents.filter((one) => one.kind !== undefined).map((one) => `${one.apiVersion} ${one.kind}`)
  expect(kinds).toEqual(Object.keys(KINDS))
  for (const document of documents.filter((one) => one.kind !== undefined))
    expect(faults(document, KINDS[`${document.apiVersion} ${document.kind}`]!)).toEqual([])
})

test('A key that is misspelt, misplaced or missing would be found.', () => {
  const document = structuredClone(find('Deployment'))
  document.spec.template.spec.containers[0].livenesProbe = {}
  document.spec.template.terminationGracePeriodSeconds = 1
  delete document.spec.selector
  document.spec.replicas = '2'
  expect(faults(document, KINDS['apps/v1 Deployment']!).sort()).toEqual([
    '.spec.replicas is no whole number',
    '.spec.selector is missing',
    '.spec.template.spec.containers[0].livenesProbe is no key there',
    '.spec.template.terminationGracePeriodSeconds is no key there',
  ])
})

test('The manifests fit together: labels, ports, probes, the autoscaler and what it measures.', () => {
  const { metadata, spec } = find('Deployment')
  const { labels, annotations } = spec.template.metadata
  const [container] = spec.template.spec.containers
  const ports = Object.fromEntries(container.ports.map(({ name, containerPort }: Document) => [name, containerPort]))
  expect(labels).toMatchObject(spec.selector.matchLabels)
  expect(labels).toMatchObject(find('Service').spec.selector)
  expect(find('Service').spec.ports.map((port: Document) => ports[port.targetPort])).toEqual([8000])
  expect(annotations['prometheus.io/port']).toBe(String(ports.metrics))
  const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'].map((name) => container[name].httpGet)
  expect(probes.map(({ path }) => path)).toEqual(['/ready', '/ready', '/live'])
  for (const { port } of probes) expect(port).toBe('metrics')
  const scaler = find('HorizontalPodAutoscaler').spec
  expect(scaler.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name })
  const custom = scaler.metrics.find((one: Document) => one.type === 'Pods').pods.metric.name
  const [rule] = documents.find((one) => one.rules !== undefined).rules
  expect(rule.name.as).toBe(custom)
  expect(metrics()).toContain(/^\w+/.exec(rule.seriesQuery)![0])
})

test('The arguments of the container are understood, serve the ports that are named, and leave time for a stop.', async () => {
  const { spec } = find('Deployment').spec.template
  const [container] = spec.containers
  expect(await checked(container.args)).toEqual({ stdout: 'monoceros: the settings are good\n', stderr: '' })
  const value = (flag: string): string => container.args[container.args.indexOf(flag) + 1]
  const ports = container.ports.map(({ containerPort }: Document) => `0.0.0.0:${containerPort}`)
  expect([value('--bind'), value('--metrics-bind')]).toEqual(ports)
  const seconds = /^(\d+)s$/.exec(value('--stop-delay'))![1]
  // gracefulTimeout is 30 s unless set.
  expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(Number(seconds) + 30)
})

const INSTRUCTIONS = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'USER', 'EXPOSE', 'ENTRYPOINT', 'CMD', 'ENV', 'HEALTHCHECK']

test('The Dockerfile has known instructions, and runs monoceros itself with arguments that it understands.', async () => {
  const [dockerfile] = blocks('dockerfile', deployment)
  const lines = dockerfile!.trim().split('\n')
  expect(lines.filter((line) => !INSTRUCTIONS.includes(line.split(' ')[0]!))).toEqual([])
  expect(lines[0]).toMatch(/^FROM node:\d+/)
  const list = (name: string): string[] =>
    JSON.parse(lines.find((line) => line.startsWith(`${name} [`))!.slice(name.length))
  expect(list('ENTRYPOINT')).toEqual(['node_modules/.bin/monoceros'])
  expect((await checked(list('CMD'))).stdout).toBe('monoceros: the settings are good\n')
})

test('The scrape job of docs/metrics.md is one of Prometheus.', () => {
  const [config] = blocks('yaml', page('metrics.md')).flatMap((block) => loadAll(block)) as Document[]
  const shape: Shape = { 'scrape_configs!': [{ 'job_name!': 'text', static_configs: [{ 'targets!': ['text'] }] }] }
  expect(faults(config, shape)).toEqual([])
})
