package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ouro/layer"
	"ouro/pipeline"
	"ouro/stack"
)

func newLayer(s IO) *cobra.Command {
	c := &cobra.Command{
		Use:   "layer",
		Short: "Lambda layers, each with a pipeline that publishes its versions",
		Long: `A layer has a repository and a pipeline: a push builds the layer and publishes a
new version beside the older ones, or none if its content is the same. Functions
find the newest one by the parameter /ouro/layers/NAME/latest.`,
		Args: noVerb,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newLayerUp(s), newLayerBuild(s), newLayerList(s), newLayerShow(s), newLayerPrune(s), newLayerDelete(s), newLayerTemplate(s), newLayerDown(s))
	return c
}

// oneLayer takes the name of a layer as the only argument.
func oneLayer(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError{fmt.Errorf("%s takes the name of one layer", c.CommandPath())}
	}
	if err := layer.CheckName(args[0]); err != nil {
		return usageError{err}
	}
	return nil
}

// layerWork is what the commands have in common that work on an endpoint.
type layerWork struct {
	io     IO
	target targetFlags
	yes    bool
	json   bool
}

// layerSession is an endpoint for work on layers.
type layerSession struct {
	*session
	clients *layer.Clients
	consent consent
}

// open reaches the endpoint. Whoever opened it closes it.
func (o *layerWork) open(ctx context.Context, changes bool) (*layerSession, error) {
	o.target.asker = o.io.asker()
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	w, err := o.target.sessionOf(ctx, o.io, &pipeline.Project{Dir: dir})
	if err != nil {
		return nil, err
	}
	s := &layerSession{w, layer.NewClients(w.target.Config), consent{session: w, asker: o.target.asker, yes: o.yes}}
	if changes {
		w.introduce()
		if err := s.consent.possible(); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return s, nil
}

// up is the work that makes and deletes layers, with consent where that is
// needed.
func (s *layerSession) up(o IO) *layer.Up {
	u := &layer.Up{Clients: s.clients, Account: s.account, State: s.target.State, Observer: s.narrator}
	if !s.target.own {
		u.Patience = farPatience
		u.Consent = func(ctx context.Context, changes *stack.Changes) (bool, error) {
			return s.consent.ask(ctx, func() {
				width := 0
				if o.ErrTerminal {
					width = max(o.Width, 40)
				}
				drawPlan(o.Err, paint(o.Color), width, []*stack.Changes{changes})
			}, "Go ahead")
		}
	}
	return u
}

// layers makes what layers share, where the project's pipeline makes pipelines
// of a list of layers, which is checked before.
func (o *upOptions) layers(ctx context.Context, w *session, consent consent) error {
	list := w.project.Config.Parameters[layer.ListParameter]
	if list == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(w.project.Dir, filepath.FromSlash(list)))
	if err != nil {
		return fmt.Errorf("the list of layers, %s: %w", layer.ListParameter, err)
	}
	if _, err := layer.ReadList(text); err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	program, err := layer.FindProgram(ctx, o.inputs.binary, "")
	if err != nil {
		return err
	}
	s := &layerSession{w, layer.NewClients(w.target.Config), consent}
	up := s.up(o.io)
	up.Program = program
	return up.Base(ctx)
}
