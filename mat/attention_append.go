package mat

import "fmt"

// AttentionAppend is AttentionCached that first appends to the cache of each sequence, which no other shares, the sequence's rows of k and v: the keys and
// values of its queries' positions, which begin where the cache ends. Workers append what they are about to read.
func (e *Engine) AttentionAppend(out, q, k, v Matrix, caches []*Cache, a Attention) {
	t := e.attentionCached(caches, a)
	t.k, t.v, t.appends = k, v, true
	for s, c := range caches {
		c.grow(k, v, t.queryCount(s))
	}
	for s, c := range caches { // one that two share is too long now
		if c.n != t.position(s, t.queryCount(s)) {
			panic(fmt.Sprintf("mat: attention of queries from position %d on, appended to a cache of %d", t.position(s, 0), c.n-t.queryCount(s)))
		}
	}
	t.start(out, q)
}

// appendRows is up to how many positions of a head one part appends: some 64 KB of keys and values.
const appendRows = 128

// append puts the new keys and values of sequences into their caches, but for those whose parts put what they read themselves, as nobody else reads it.
func (t *attentionTask) append() {
	for s := range t.caches {
		if t.isFew(s) {
			continue
		}
		for h := range t.KVHeads {
			for from, n := 0, t.queryCount(s); from < n; from += appendRows {
				t.parts = append(t.parts, attentionPart{s, h, 1, from, min(n, from+appendRows)})
			}
		}
	}
	do := t.do
	t.do = (*attentionTask).put
	t.engine.Run(len(t.parts), t)
	t.do, t.parts = do, t.parts[:0]
}

// put puts the keys and values of a part's queries into the cache.
func (t *attentionTask) put(p attentionPart) {
	k, v := t.queriesOf(t.k, p.sequence).RowRange(p.from, p.to), t.queriesOf(t.v, p.sequence).RowRange(p.from, p.to)
	t.caches[p.sequence].put(k, v, t.position(p.sequence, p.from), p.kvHead, p.kvHead+p.kvHeads)
}
