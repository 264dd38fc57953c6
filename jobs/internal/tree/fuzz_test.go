package tree

import "testing"

// FuzzRead checks that no text makes Read panic, that it gives a tree or errors
// with places, and that what it gives is bounded.
func FuzzRead(f *testing.F) {
	for _, src := range []string{
		"a: &x [1, 'b', \"c\"]\nb: *x\nc: {<<: {d: 1}, e: ~}\n", "- - a\n  - b\n-\n", "a: |\n  x\nb: >-\n  y\n",
		"---\na: 1 # c\n...\n", "{a: [b, {c: d}], e: }", "a: 'x\n\n  y'\n", "? a\n: b\n", "&a !!str x: *a\n", "%YAML 1.2\n---\n", "a:\r\n\tb\r",
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		root, errs := Read(src)
		if root == nil && len(errs) == 0 {
			t.Fatal("neither a tree nor an error")
		}
		for _, e := range errs {
			if e.What == "" || e.Line < 1 || e.Column < 1 {
				t.Fatalf("error without place or text: %+v", e)
			}
		}
		nodes := 0
		root.Walk(func(n *Node) {
			nodes++
			if n.Pos.Line < 1 || n.Pos.Column < 1 {
				t.Fatalf("node %v at %+v", n, n.Pos)
			}
		})
		if nodes > maxNodes {
			t.Fatalf("%d nodes", nodes)
		}
	})
}
