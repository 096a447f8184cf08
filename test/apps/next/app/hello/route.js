export const dynamic = 'force-dynamic'

export function GET(request) {
  return Response.json({ framework: 'next', pid: process.pid, method: request.method })
}
