package cloudwatch

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"ouro/cloud/store"
)

// point is what was put to a metric in some time.
type point struct {
	Count, Sum, Least, Most float64
	Values                  []weighted `json:",omitempty"` // sorted
	Blurred                 bool       `json:",omitempty"` // not all values are known: no percentiles
}

// weighted is a value that came so often.
type weighted struct{ Value, Count float64 }

// maxDistinct is how many values of a point are told apart. Of more, three
// digits are kept.
const maxDistinct = 2000

func (p *point) merge(q point) {
	if p.Count == 0 {
		*p = q
		p.Values = slices.Clone(q.Values)
		return
	}
	p.Count, p.Sum = p.Count+q.Count, p.Sum+q.Sum
	p.Least, p.Most = min(p.Least, q.Least), max(p.Most, q.Most)
	p.Blurred = p.Blurred || q.Blurred
	if p.Blurred {
		p.Values = nil
		return
	}
	for _, v := range q.Values {
		p.insert(v)
	}
	if len(p.Values) > maxDistinct {
		all := p.Values
		p.Values = nil
		for _, v := range all {
			p.insert(weighted{rounded(v.Value), v.Count})
		}
	}
}

// rounded is a number of three digits.
func rounded(f float64) float64 {
	if r, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 3, 64), 64); err == nil {
		return r
	}
	return f
}

func (p *point) insert(v weighted) {
	at, there := slices.BinarySearchFunc(p.Values, v, func(a, b weighted) int { return cmp.Compare(a.Value, b.Value) })
	if there {
		p.Values[at].Count += v.Count
		return
	}
	p.Values = slices.Insert(p.Values, at, v)
}

// statistic is one that a point has; false for a percentile of values that are
// not known.
func (p point) statistic(name string) (float64, bool) {
	switch types.Statistic(name) {
	case types.StatisticSampleCount:
		return p.Count, true
	case types.StatisticSum:
		return p.Sum, true
	case types.StatisticAverage:
		return p.Sum / p.Count, true
	case types.StatisticMinimum:
		return p.Least, true
	case types.StatisticMaximum:
		return p.Most, true
	}
	share, ok := percentile(name)
	if !ok || p.Blurred || len(p.Values) == 0 {
		return 0, false
	}
	seen, rank := 0.0, share*p.Count/100
	for _, v := range p.Values {
		if seen += v.Count; seen >= rank {
			return v.Value, true
		}
	}
	return p.Most, true
}

// percentile reads p99.9.
func percentile(name string) (share float64, ok bool) {
	digits, ok := strings.CutPrefix(name, "p")
	if !ok || digits == "" || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	share, err := strconv.ParseFloat(digits, 64)
	return share, err == nil && share >= 0 && share <= 100
}

// isStatistic tells the simple statistics from the extended ones.
func isStatistic(name string) bool {
	return slices.Contains(types.Statistic("").Values(), types.Statistic(name))
}

// sampled is a point at its time, in a unit.
type sampled struct {
	at   time.Time
	unit types.StandardUnit
	point
}

// data gives what was put to a metric from a time on and before another, of
// one unit if there is one.
func (s *Service) data(ctx context.Context, scope store.Scope, m metric, from, to time.Time, unit types.StandardUnit) ([]sampled, error) {
	id := m.id() + "/"
	all, err := s.points.List(ctx, scope, store.Query{Prefix: id, After: id + second(from)})
	if err != nil {
		return nil, err
	}
	var out []sampled
	for _, e := range all {
		at, of, _ := strings.Cut(strings.TrimPrefix(e.ID, id), "/")
		n, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return nil, err
		}
		p := sampled{time.Unix(n, 0).UTC(), types.StandardUnit(of), e.Value}
		if !p.at.Before(to) {
			break
		}
		if unit == "" || unit == p.unit {
			out = append(out, p)
		}
	}
	return out, nil
}
