package main

import (
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"overnight/agents"
	"overnight/agents/guard"
	"overnight/envs"
	"overnight/internal/param"
	"overnight/internal/simd"
	"overnight/jobs"
	"overnight/jobs/design"
	"overnight/results/page"
)

func (a *app) envsCmd() *cobra.Command {
	var markdown bool
	c := &cobra.Command{
		Use:     "envs [NAME]",
		Short:   "List environments, or show one with all its parameters",
		Example: "  overnight envs\n  overnight envs marketing",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var list []known
			for _, f := range a.cat.Envs {
				list = append(list, known{f.Name(), f.Doc(), f.Schema(), metricsOf(f)})
			}
			return a.show("environment", list, args, markdown)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, f := range a.cat.Envs {
				names = append(names, f.Name())
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	c.Flags().BoolVar(&markdown, "markdown", false, "as docs/environments.md is written")
	return c
}

func (a *app) agentsCmd() *cobra.Command {
	var markdown bool
	c := &cobra.Command{
		Use:     "agents [NAME]",
		Short:   "List agents, or show one with all its parameters",
		Example: "  overnight agents\n  overnight agents reinforce",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var list []known
			for _, f := range a.cat.Agents {
				list = append(list, known{f.Name(), f.Doc(), f.Schema(), reportedBy(f)})
			}
			if markdown && len(args) == 0 || len(args) == 1 && args[0] == guard.Group {
				list = guardOnce(list)
			}
			return a.show("agent", list, args, markdown)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, f := range a.cat.Agents {
				names = append(names, f.Name())
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	c.Flags().BoolVar(&markdown, "markdown", false, "as docs/agents.md is written")
	return c
}

// known is an environment or an agent, for showing.
type known struct {
	name, doc string
	schema    param.Schema
	metrics   []envs.Metric
}

// metricsOf returns what an environment reports with its default parameters.
func metricsOf(f envs.Factory) []envs.Metric {
	p, err := f.Schema().Complete(nil)
	if err != nil {
		return nil
	}
	e, err := f.New(p, nil)
	if err != nil {
		return nil
	}
	return e.Spec().Metrics
}

// reportedBy returns what an agent reports with its default parameters, and what
// a guard around it would.
func reportedBy(f agents.Factory) []envs.Metric {
	var list []envs.Metric
	if p, err := f.Schema().Complete(nil); err == nil {
		list = slices.Clone(f.Traits(p).Metrics)
	}
	if isGuarded(f.Schema()) {
		list = append(list, guard.Metrics()...)
	}
	return list
}

// isGuarded says whether the last parameter is the group that guard.Around adds.
func isGuarded(s param.Schema) bool {
	return len(s) > 0 && s[len(s)-1].Kind == param.Group && s[len(s)-1].Name == guard.Group
}

// guardOnce takes the group and the metrics of guards from the agents that have
// them and appends one entry for all.
func guardOnce(list []known) []known {
	for i := range list {
		k := &list[i]
		if !isGuarded(k.schema) {
			continue
		}
		k.schema, k.metrics = k.schema[:len(k.schema)-1], k.metrics[:len(k.metrics)-len(guard.Metrics())]
		k.doc += " Takes the group [guard](#guard)."
	}
	return append(list, known{
		"guard", guard.Doc + " A group of parameters, `guard: {holdout: 0.1, floor: 0.02}`, of every agent above that takes it.",
		param.Schema{{Name: guard.Group, Kind: param.Group, Fields: guard.Schema(), Doc: guard.Doc}}, guard.Metrics(),
	})
}

func (a *app) show(what string, list []known, args []string, markdown bool) error {
	if len(args) == 0 && !markdown {
		widest := 12
		for _, k := range list {
			widest = max(widest, len(k.name))
		}
		for _, k := range list {
			first, _, _ := strings.Cut(k.doc, ". ")
			fmt.Fprintf(a.out, "%-*s %s\n", widest, k.name, strings.TrimSuffix(first, "."))
		}
		return nil
	}
	var names []string
	for _, k := range list {
		names = append(names, k.name)
		if len(args) > 0 && k.name != args[0] {
			continue
		}
		if markdown {
			fmt.Fprintf(a.out, "## %s\n\n%s\n\n", k.name, k.doc)
			if err := k.schema.WriteMarkdown(a.out); err != nil {
				return err
			}
			a.markdownMetrics(k.metrics)
			fmt.Fprintln(a.out)
			continue
		}
		fmt.Fprintf(a.out, "%s\n\n%s\n\n", k.name, k.doc)
		if err := k.schema.WriteDoc(a.out, a.width()); err != nil {
			return err
		}
		for i, m := range k.metrics {
			if i == 0 {
				fmt.Fprintf(a.out, "\nmetrics beside return\n")
			}
			fmt.Fprintf(a.out, "  %-22s %s\n", m.Name, m.Doc)
		}
		return nil
	}
	if markdown && len(args) == 0 {
		return nil
	}
	return usage("no %s %q: there is %s", what, args[0], strings.Join(names, ", "))
}

func (a *app) markdownMetrics(ms []envs.Metric) {
	for i, m := range ms {
		if i == 0 {
			fmt.Fprint(a.out, "\nMetrics beside `return`:\n\n")
		}
		fmt.Fprintf(a.out, "- `%s`: %s\n", m.Name, m.Doc)
	}
}

func (a *app) schemaCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of study files, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := jobs.SchemaJSON(a.cat)
			if err != nil {
				return err
			}
			_, err = a.out.Write(b)
			return err
		},
	}
}

func (a *app) versionCmd() *cobra.Command {
	var notices bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version, the engine version, the platform and the vector instructions in use",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if notices {
				return a.notices()
			}
			_, err := fmt.Fprintf(a.out, "overnight %s, engine version %d, %s, %s/%s, %s\n", version(), jobs.EngineVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH, vectors())
			return err
		},
	}
	c.Flags().BoolVar(&notices, "notices", false, "the licences of what is embedded beside Go modules: ECharts and Joe and Kuo's direction numbers")
	return c
}

// notices prints the licences of embedded files that are not Go modules.
func (a *app) notices() error {
	charts, err := fs.ReadFile(page.Assets(), "echarts.LICENSE.txt")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "Apache ECharts, which draws the pictures of reports and the dashboard\n\n%s\n\nDirection numbers of Sobol sequences\n\n%s\n", charts, design.Notice())
	return err
}

// vectors says which vector instructions kernels use.
func vectors() string {
	if l := simd.Best(); l != simd.Off {
		return "kernels with " + l.String()
	}
	return "kernels in plain Go"
}

// version is the module's version, or the commit it was built from.
func version() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := b.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range b.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}
