package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"ouro/library"
)

func newLibrary(s IO) *cobra.Command {
	c := &cobra.Command{
		Use:   "library",
		Short: "The templates that come with ouro: list, show, export",
		Long: `The library's templates are networks, load balancers, fleets, containers and the
pipelines that deploy them. What is exported is yours: the files nest each other
by relative paths, which ouro publish and aws cloudformation package follow. Or
leave them where they are: TemplateURL: ouro://network/vpc.yaml is the
library's.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("%s: there is no %q; there are list, show and export", c.CommandPath(), args[0])}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newLibraryList(s), newLibraryShow(s), newLibraryExport(s))
	return c
}

// libraryEntry is one template of what list --json prints.
type libraryEntry struct {
	Name, Description string
	Nests             []string
}

func newLibraryList(s IO) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [PREFIX]",
		Short: "Name every template and say what it makes",
		Long: `Names every template, or those whose names begin with PREFIX, and says what each
makes. In a template, ouro:// before a name stands for that template, as in
TemplateURL: ouro://network/vpc.yaml.`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("%s takes the beginning of names, not %d arguments", c.CommandPath(), len(args))}
			}
			templates := library.Templates()
			if len(args) == 1 {
				prefix := strings.TrimPrefix(args[0], library.Scheme)
				templates = slices.DeleteFunc(templates, func(t library.Template) bool { return !strings.HasPrefix(t.Name, prefix) })
			}
			if len(templates) == 0 {
				return fmt.Errorf("no template of the library has a name that begins with %q", args[0])
			}
			if asJSON {
				return listLibraryAsJSON(s, templates)
			}
			listLibrary(s, templates)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return c
}

// listLibrary prints a name and, beside it, what the template makes, in as many
// lines as that takes.
func listLibrary(s IO, templates []library.Template) {
	p, widest := paint(s.Color && s.Terminal), 0
	for _, t := range templates {
		widest = max(widest, len(t.Name))
	}
	for _, t := range templates {
		name := t.Name
		for line := range strings.Lines(ansi.Wordwrap(t.Description, max(s.Width-widest-2, 20), "")) {
			fmt.Fprintf(s.Out, "%s  %s\n", p.bold(padRight(name, widest)), strings.TrimSpace(line))
			name = ""
		}
	}
}

func listLibraryAsJSON(s IO, templates []library.Template) error {
	entries := []libraryEntry{}
	for _, t := range templates {
		entries = append(entries, libraryEntry{t.Name, t.Description, append([]string{}, t.Nests...)})
	}
	e := json.NewEncoder(s.Out)
	e.SetIndent("", "  ")
	return e.Encode(entries)
}

func newLibraryShow(s IO) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Print a template as it is",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("%s takes the name of one template, not %d", c.CommandPath(), len(args))}
			}
			t, err := library.Open(args[0])
			if err != nil {
				return err
			}
			if _, err := s.Out.Write(t.Body); err != nil {
				return fmt.Errorf("printing %q: %w", t.Name, err)
			}
			return nil
		},
	}
}

func newLibraryExport(s IO) *cobra.Command {
	return &cobra.Command{
		Use:   "export NAME [DIR]",
		Short: "Write a template, and all that it nests, into a directory",
		Long: `Writes the template and all that it nests below DIR (default the current
directory), each at its name. A file that is there already and differs is left
alone, and nothing is written.`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 2 {
				return usageError{fmt.Errorf("%s takes the name of one template, and a directory", c.CommandPath())}
			}
			whole, err := library.Export(dirOf(args[1:]), args[0])
			if err != nil {
				return err
			}
			for _, t := range whole {
				fmt.Fprintln(s.Out, t.Name)
			}
			return nil
		},
	}
}
