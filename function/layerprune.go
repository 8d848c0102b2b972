package function

import (
	"context"
	"fmt"
	"strings"

	"ouro/layer"
)

// kept are the parameters of layer.prune.
type kept struct {
	Layer        string   `json:"layer"`
	Keep         int      `json:"keep,string"`
	Accounts     []string `json:"accounts"`
	Organization string   `json:"organization"`
}

// layerPrune deletes the versions of a layer that are neither among the newest
// nor used, and takes the others away from whom they are shared with no longer.
func layerPrune(ctx context.Context, j *job, p *kept) (done, error) {
	if err := layer.CheckName(p.Layer); err != nil {
		return done{}, err
	}
	c := layer.NewClients(j.cfg)
	pruned, err := layer.Prune(ctx, c, p.Layer, p.Keep)
	if err != nil {
		return done{}, err
	}
	v := layer.Version{Accounts: accounts(p.Accounts), Organization: p.Organization}
	withdrawn, err := layer.Withdraw(ctx, c, p.Layer, v.Who())
	if err != nil {
		return done{}, err
	}
	summary := fmt.Sprintf("Deleted %d versions, left %d that are used", len(pruned.Deleted), len(pruned.InUse))
	if len(withdrawn) > 0 {
		summary += "; withdrew " + strings.Join(withdrawn, ", ")
	}
	return done{Summary: summary}, nil
}
