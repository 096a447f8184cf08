export const dynamic = 'force-dynamic'

export default function Page() {
  return <p>next worker {process.env.NODE_APP_INSTANCE}</p>
}
