package ecr

import (
	"context"
	"errors"

	"ouro/cloud/store"
)

// expireSoon applies a repository's lifecycle policy in the background. On AWS
// it takes up to a day.
func (s *Service) expireSoon(ctx context.Context, scope store.Scope, name string) {
	if r, err := s.repositories.Get(ctx, scope, name); err != nil || r.Lifecycle == "" {
		return // what fails here is done by the next tidying
	}
	s.host.Go("ecr: applying a lifecycle policy", func(ctx context.Context) {
		if err := s.expire(ctx, scope, name); err != nil && ctx.Err() == nil {
			s.host.Log().Warn("applying a lifecycle policy", "repository", name, "error", err)
		}
	})
}

// expire deletes the images that a repository's lifecycle policy lets go.
func (s *Service) expire(ctx context.Context, scope store.Scope, name string) error {
	var lost []string
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		r, err := s.repositories.Get(ctx, scope, name)
		if err != nil || r.Lifecycle == "" {
			return missing(err, nil)
		}
		rules, err := readLifecycle(r.Lifecycle)
		if err != nil {
			return err
		}
		images, err := s.all(ctx, scope, name)
		if err != nil {
			return err
		}
		for _, e := range evaluate(rules, images, s.now()) {
			if err := s.remove(ctx, scope, name, e.image); err != nil {
				return err
			}
			lost = append(lost, e.image.Digest)
		}
		r.Evaluated = s.now()
		return s.repositories.Put(ctx, scope, name, r)
	})
	if err != nil || len(lost) == 0 {
		return err
	}
	s.outbox.Tell()
	return s.discard(ctx, lost)
}

// tidy applies the lifecycle policies, and removes the layers that no image
// needs, the uploads that were given up, and the files that nothing holds.
func (s *Service) tidy(ctx context.Context) error {
	repositories, err := s.repositories.All(ctx, store.Query{})
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range repositories {
		errs = append(errs, s.expire(ctx, r.Scope, r.ID), s.dropUnused(ctx, r.Scope, r.ID))
	}
	errs = append(errs, s.giveUp(ctx))
	digests, err := s.blobs.all()
	return errors.Join(append(errs, err, s.discard(ctx, digests))...)
}

// dropUnused takes the layers out of a repository that no image of it needs,
// and that nobody who pushes can count upon.
func (s *Service) dropUnused(ctx context.Context, scope store.Scope, name string) error {
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		images, err := s.all(ctx, scope, name)
		if err != nil {
			return err
		}
		needed := map[string]bool{}
		for _, i := range images {
			for _, digest := range i.Blobs {
				needed[digest] = true
			}
		}
		layers, err := s.layers.List(ctx, scope, store.Query{Prefix: name + "@"})
		for _, l := range layers {
			digest := l.ID[len(name)+1:]
			if !needed[digest] && s.now().Sub(l.Value.Used) > promise {
				err = errors.Join(err, s.drop(ctx, scope, name, digest))
			}
		}
		return err
	})
}

// giveUp ends the uploads that began long ago.
func (s *Service) giveUp(ctx context.Context) error {
	uploads, err := s.uploads.All(ctx, store.Query{})
	for _, u := range uploads {
		if s.now().Sub(u.Value.Started) < promise {
			continue
		}
		err = errors.Join(err, s.alone(u.Value.Repository, u.ID, func() error {
			return errors.Join(missing(s.uploads.Delete(ctx, u.Scope, u.ID), nil), s.blobs.forget(u.ID))
		}))
	}
	return err
}
