package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"ouro/library"
)

func newLibrary(s IO) *cobra.Command {
	c := &cobra.Command{
		Use:   "library",
		Short: "The templates that come with ouro: list, show, export",
		Long: `The library's templates are networks, load balancers, fleets, containers and the
pipelines that deploy them. What is exported is yours: the files nest each other
by relative paths, which ouro publish and aws cloudformation package follow.`,
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
		Use:   "list",
		Short: "Name every template and say what it makes",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("%s takes no arguments", c.CommandPath())}
			}
			if asJSON {
				return listLibraryAsJSON(s)
			}
			listLibrary(s)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return c
}

func listLibrary(s IO) {
	p, widest := paint(s.Color && s.Terminal), 0
	for _, t := range library.Templates() {
		widest = max(widest, len(t.Name))
	}
	for _, t := range library.Templates() {
		fmt.Fprintf(s.Out, "%s  %s\n", p.bold(padRight(t.Name, widest)), t.Description)
	}
}

func listLibraryAsJSON(s IO) error {
	entries := []libraryEntry{}
	for _, t := range library.Templates() {
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
