// Rendered at each request, so that each makes spans.
export const dynamic = 'force-dynamic';

export default function Page() {
  return <p>hello</p>;
}
