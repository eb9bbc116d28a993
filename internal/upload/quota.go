package upload

import (
	"context"
	"fmt"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/optional"
	"itemcast/internal/problem"
	"itemcast/internal/upload/internal/store"
)

// unmeasured is what a video or a sound counts until processing has measured it, and so what an upload reserves.
const unmeasured = time.Minute

// quota is what an account or a workflow profile may hold, and what it has taken of that.
type quota struct {
	owner          string
	bytes, minutes int64 // 0: no limit
	taken          int64 // bytes
	takenLength    time.Duration
	reserved       int64 // bytes of those taken, by other uploads under way
	reservedLength time.Duration
	bytesSetting   string // what raises it
	minutesSetting string
}

// keepQuota returns how many of the wanted bytes of the quotas of its account and its profile an upload may have. The
// caller stores them as the upload's reservation, in the same transaction. Error: QUOTA_EXCEEDED if the upload cannot
// have those that it needs, or, when it begins, no minute is free.
func (s *Service) keepQuota(
	ctx context.Context, q *store.Queries, u *Upload, needed, wanted int64,
) (granted int64, err error) {
	quotas, err := readQuotas(ctx, q, u)
	if err != nil || !u.limited {
		return wanted, err
	}
	if err := q.LockQuota(ctx, u.ticket.Account); err != nil {
		return 0, fmt.Errorf("lock a quota: %w", err)
	}
	taken, err := q.TakenQuota(ctx, store.TakenQuotaParams{AccountID: u.ticket.Account, ProfileID: u.ticket.Profile,
		OwnIds: u.ownIDs()})
	if err != nil {
		return 0, fmt.Errorf("add up a quota: %w", err)
	}
	quotas[0].taken, quotas[0].takenLength = taken.Bytes, milliseconds(taken.Milliseconds)
	quotas[0].reserved, quotas[0].reservedLength = taken.ReservedBytes, milliseconds(taken.ReservedMilliseconds)
	quotas[1].taken, quotas[1].takenLength = taken.ProfileBytes, milliseconds(taken.ProfileMilliseconds)
	quotas[1].reserved = taken.ProfileReservedBytes
	quotas[1].reservedLength = milliseconds(taken.ProfileReservedMilliseconds)
	granted = wanted
	for _, of := range quotas {
		if err := of.check(needed, u); err != nil {
			return 0, err
		}
		if of.bytes > 0 {
			granted = min(granted, of.bytes-of.taken)
		}
	}
	return granted, nil
}

// readQuotas returns the quotas of an upload's account and profile, and notes whether there are any.
func readQuotas(ctx context.Context, q *store.Queries, u *Upload) (quotas [2]quota, err error) {
	of, err := q.AccountQuotas(ctx, u.ticket.Account)
	if err != nil {
		return quotas, fmt.Errorf("read the quotas of an account: %w", err)
	}
	quotas = [2]quota{
		{owner: "account", bytes: optional.OrZero(of.QuotaBytes), minutes: optional.OrZero(of.QuotaMinutes),
			bytesSetting: "quotas.bytes of the account", minutesSetting: "quotas.minutes of the account"},
		{owner: "workflow profile", bytes: u.ticket.QuotaBytes, minutes: u.ticket.QuotaMinutes,
			bytesSetting: "its uploads.quota_bytes", minutesSetting: "its uploads.quota_minutes"},
	}
	for _, of := range quotas {
		u.limited = u.limited || of.bytes > 0 || of.minutes > 0
	}
	return quotas, nil
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// check returns QUOTA_EXCEEDED if an upload cannot have what it needs. An upload that has begun is not refused for its
// minutes: it has reserved them.
func (q quota) check(needed int64, u *Upload) error {
	if free := max(0, q.bytes-q.taken); q.bytes > 0 && needed > free {
		under, remedy := "", "Delete items"
		if q.reserved > 0 {
			under, remedy = fmt.Sprintf("; uploads under way have reserved %d", q.reserved), freeing
		}
		return problem.New(problem.QuotaExceeded, "The upload needs %d bytes, and of the %d that the %s may hold, %d are "+
			"free%s. %s, or ask an administrator to raise %s.", needed, q.bytes, q.owner, free, under, remedy, q.bytesSetting)
	}
	reserves := time.Duration(u.minutes) * time.Minute
	if u.begun || q.minutes == 0 || reserves == 0 || q.takenLength+reserves <= time.Duration(q.minutes)*time.Minute {
		return nil
	}
	under, remedy := "", "Delete items"
	if q.reservedLength > 0 {
		under, remedy = fmt.Sprintf(", %d by uploads under way", int64(q.reservedLength/time.Minute)), freeing
	}
	return problem.New(problem.QuotaExceeded, "All %d minutes of videos and sounds that the %s may hold are taken%s. "+
		"%s, or ask an administrator to raise %s.", q.minutes, q.owner, under, remedy, q.minutesSetting)
}

// freeing is what frees a quota while uploads are under way.
const freeing = "Stop one of those uploads, which frees what it has reserved, delete items"

// Usage is what an account has, and what is on its way.
type Usage struct {
	Bytes         int64 `json:"bytes"`          // of the files of items
	ReservedBytes int64 `json:"reserved_bytes"` // by uploads under way
	Minutes       int64 `json:"minutes"`        // of the videos and sounds of items, rounded up
	Uploads       int64 `json:"uploads"`        // under way
	Jobs          int64 `json:"jobs"`           // items that are being processed
	WaitingJobs   int64 `json:"waiting_jobs"`   // items that wait for that
}

// Usage returns what the actor's account holds now. Every user may read it.
func (s *Service) Usage(ctx context.Context) (Usage, error) {
	actor, err := account.Authorize(ctx)
	if err != nil {
		return Usage{}, err
	}
	row, err := store.New(db.Read(ctx, s.Pool)).Usage(ctx, actor.AccountID)
	if err != nil {
		return Usage{}, fmt.Errorf("add up the usage of an account: %w", err)
	}
	length := milliseconds(row.Milliseconds)
	return Usage{Bytes: row.Bytes, ReservedBytes: row.ReservedBytes,
		Minutes: int64((length + time.Minute - 1) / time.Minute), Uploads: row.Uploads, Jobs: row.Jobs,
		WaitingJobs: row.WaitingJobs}, nil
}
