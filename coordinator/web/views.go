package web

import (
	"sync"

	"overnight/coordinator/web/live"
)

// maxViews is how many views are kept of studies that nobody looks at.
const maxViews = 4

// views keeps what was read of studies, so that who comes back waits for what is
// new alone.
type views struct {
	mu   sync.Mutex
	list []keptView // the latest last
}

type keptView struct {
	name string
	body []byte // of the plan
	view *live.View
}

func (v *views) take(name string) keptView {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, k := range v.list {
		if k.name == name {
			v.list = append(v.list[:i], v.list[i+1:]...)
			return k
		}
	}
	return keptView{name: name}
}

func (v *views) keep(k keptView) {
	if k.view == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.list = append(v.list, k); len(v.list) > maxViews {
		v.list = v.list[1:]
	}
}
