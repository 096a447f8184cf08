/**
 * The unit files for systemd: systemd.unit(5), systemd.service(5), systemd.socket(5), systemd.exec(5). Pure.
 *
 * systemd opens the sockets and keeps them over a restart; it hears from the arbiter when workers serve
 * (`Type=notify`). On stop only the arbiter is signalled (`KillMode=mixed`), because it tells its workers and companions itself;
 * systemd's deadline is longer than ours, so that it never ends what we are ending in order.
 */
import { type BindAddress, formatAddress } from '../config/address.ts'
import type { LoadedConfig } from '../config/load.ts'

export type UnitPlan = {
  /** Without an ending: `shop` for shop.service and shop.socket. */
  readonly name: string
  readonly loaded: Pick<LoadedConfig, 'config' | 'companions'>
  /** The program and its arguments, absolute where it is a path. */
  readonly command: readonly string[]
  readonly workingDirectory: string
  /** Who it runs as: names or ids; without a user systemd makes one up (`DynamicUser=`). */
  readonly user: string | null
  readonly group: string | null
}

export type Units = {
  readonly service: string
  /** Null: no `bind` says what to open. */
  readonly socket: string | null
}

export function systemdUnits(plan: UnitPlan): Units {
  const { bind } = plan.loaded.config
  const streams = bind.filter((address) => address.kind !== 'fd')
  return {
    service: text(serviceOf(plan, streams.length > 0)),
    socket: streams.length > 0 ? text(socketOf(plan, streams)) : null,
  }
}

type Section = readonly [name: string, lines: readonly (readonly [key: string, value: string] | string)[]]

/** Seconds that systemd waits beyond our own deadlines. */
const MARGIN = 15

function serviceOf(plan: UnitPlan, hasSocket: boolean): Section[] {
  const { name, loaded, command, workingDirectory, user, group } = plan
  const { config } = loaded
  const socket = `${name}.socket`
  return [
    [
      'Unit',
      [
        ['Description', `${name}, served by monoceros`],
        ['After', hasSocket ? `network-online.target ${socket}` : 'network-online.target'],
        ['Wants', 'network-online.target'],
        ...(hasSocket ? [['Requires', socket] as const] : []),
        '# Not more than this often, should it fail again and again.',
        ['StartLimitIntervalSec', '60'],
        ['StartLimitBurst', '5'],
      ],
    ],
    [
      'Service',
      [
        '# Started is: every worker serves. The watchdog is fed as long as one does.',
        ['Type', 'notify'],
        ['NotifyAccess', 'main'],
        ['WatchdogSec', '30'],
        ['ExecStart', command.map(quoted).join(' ')],
        ['ExecReload', '/bin/kill -HUP $MAINPID'],
        ['WorkingDirectory', workingDirectory.replaceAll('%', '%%')],
        ['Environment', 'NODE_ENV=production'],
        '# The folder by this name: where it is a link, a reload runs what it points to by then.',
        ['Environment', assigned('PWD', workingDirectory)],
        '',
        '# Only the arbiter gets the signal; what is left of it at the deadline, which is beyond its own, is killed.',
        ['KillMode', 'mixed'],
        ['TimeoutStartSec', String(seconds(config.bootTimeout) + MARGIN)],
        ['TimeoutStopSec', String(stopSeconds(plan.loaded) + MARGIN)],
        ['Restart', 'on-failure'],
        ['RestartSec', '1'],
        '# Wrong settings and an app that cannot be loaded do not mend by themselves.',
        ['RestartPreventExitStatus', '2 4'],
        ['LimitNOFILE', '65536'],
        '',
        ...(user === null
          ? [
              '# A user that exists only while it runs. Set User= and Group= for one of your own.',
              ['DynamicUser', 'yes'] as const,
            ]
          : [['User', user] as const]),
        ...(group === null ? [] : [['Group', group] as const]),
        '# The control sockets stand in here ($RUNTIME_DIRECTORY).',
        ['RuntimeDirectory', name],
        ['RuntimeDirectoryMode', '0700'],
        ['UMask', '0027'],
        '',
        ...HARDENING,
        ...(needsLowPort(config.bind, hasSocket) ? LOW_PORT : NO_CAPABILITY),
      ],
    ],
    ['Install', [['WantedBy', 'multi-user.target'], ...(hasSocket ? [['Also', socket] as const] : [])]],
  ]
}

function socketOf({ name, loaded }: UnitPlan, streams: readonly BindAddress[]): Section[] {
  const { backlog, socketMode, reusePort } = loaded.config
  const files = streams.some(({ kind }) => kind === 'unix')
  return [
    ['Unit', [['Description', `Sockets of ${name}`]]],
    [
      'Socket',
      [
        ...streams.map((address) => ['ListenStream', streamOf(address)] as const),
        ['Backlog', String(backlog)],
        ...(reusePort ? [['ReusePort', 'yes'] as const] : []),
        ...(files ? [['SocketMode', `0${socketMode.toString(8)}`] as const] : []),
        '# IPv6 addresses take IPv6 only, as monoceros itself opens them.',
        ['BindIPv6Only', 'ipv6-only'],
      ],
    ],
    ['Install', [['WantedBy', 'sockets.target']]],
  ]
}

/** What a Node app does not need. Memory that is writable and executable it does need: that is how V8 compiles. */
const HARDENING: readonly (readonly [string, string])[] = [
  ['NoNewPrivileges', 'yes'],
  ['PrivateTmp', 'yes'],
  ['PrivateDevices', 'yes'],
  ['ProtectSystem', 'full'],
  ['ProtectHome', 'read-only'],
  ['ProtectClock', 'yes'],
  ['ProtectHostname', 'yes'],
  ['ProtectControlGroups', 'yes'],
  ['ProtectKernelLogs', 'yes'],
  ['ProtectKernelModules', 'yes'],
  ['ProtectKernelTunables', 'yes'],
  ['RestrictAddressFamilies', 'AF_INET AF_INET6 AF_UNIX AF_NETLINK'],
  ['RestrictNamespaces', 'yes'],
  ['RestrictRealtime', 'yes'],
  ['RestrictSUIDSGID', 'yes'],
  ['LockPersonality', 'yes'],
  ['RemoveIPC', 'yes'],
  ['SystemCallArchitectures', 'native'],
  ['SystemCallFilter', '@system-service'],
  ['SystemCallErrorNumber', 'EPERM'],
]

const LOW_PORT = [
  ['CapabilityBoundingSet', 'CAP_NET_BIND_SERVICE'],
  ['AmbientCapabilities', 'CAP_NET_BIND_SERVICE'],
] as const

const NO_CAPABILITY = [['CapabilityBoundingSet', '']] as const

/** systemd opens what stands in the socket unit; without one the app asks for a port that nobody knows beforehand. */
const needsLowPort = (bind: readonly BindAddress[], hasSocket: boolean): boolean => !hasSocket && bind.length === 0

/** Until the last of our own deadlines: of the workers, and of the companions with the manager's second. */
function stopSeconds({ config, companions }: UnitPlan['loaded']): number {
  const workers = seconds(config.stopDelay) + seconds(config.gracefulTimeout)
  return Math.max(workers, ...companions.map(({ stopTimeout }) => seconds(stopTimeout) + 1))
}

const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1000)

const streamOf = (address: BindAddress): string => (address.kind === 'unix' ? address.path : formatAddress(address))

/** systemd.service(5), "Command lines": `%` and `$` are written twice, an argument with anything special in quotes. */
export function quoted(argument: string): string {
  const doubled = argument.replaceAll('%', '%%').replaceAll('$', '$$$$')
  if (/^[\w@%+=:,./$-]+$/.test(doubled)) return doubled
  return `"${doubled.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`
}

/** In `Environment=` a dollar sign means itself. */
const assigned = (name: string, value: string): string => quoted(`${name}=${value}`).replaceAll('$$', '$')

function text(sections: readonly Section[]): string {
  return sections
    .map(([name, lines]) => {
      const body = lines.map((line) => (typeof line === 'string' ? line : `${line[0]}=${line[1]}`))
      return `[${name}]\n${body.join('\n')}\n`
    })
    .join('\n')
}
