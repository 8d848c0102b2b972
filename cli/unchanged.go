package cli

import (
	"context"
	"os"
	"path/filepath"

	"ouro/pipeline"
	"ouro/publish"
)

// cacheDir is where the user's caches of ouro lie; "" when there is no place
// for them.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "ouro")
}

// recall is the record of an earlier publication, nil when there is none that
// would do.
func (o *publishOptions) recall() *publish.Record {
	if dir := cacheDir(); dir != "" && !o.dryRun && !o.json {
		return publish.Recall(dir, o.root, o.entrypoint, o.bucket)
	}
	return nil
}

// unchanged tells whether an earlier publication still stands, and then ends as
// that one did.
func (o *publishOptions) unchanged(ctx context.Context, t *target, r *publish.Record) (bool, error) {
	client := pipeline.NewBuckets(t.Config)
	if r.Location != o.at(client.Options()) {
		return false, nil
	}
	if holds, err := r.Holds(ctx, client); !holds || err != nil {
		return false, err
	}
	if err := writeWhole(o.output, r.Body()); err != nil {
		return false, err
	}
	o.say(r.Path, publish.Result{Kept: r.Objects()})
	return true, nil
}
