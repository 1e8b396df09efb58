/// Work that takes milliseconds, such as a password hash or a pause until a lock may be free. It runs on a thread of
/// the `WorkPool`. It returns the phase that the request continues with; nil starts the request again.
package typealias SlowWork = @Sendable () -> (any RequestPhase)?

/// The part of a request that follows its slow work. The handler defines what it contains. A phase may run more than
/// once.
///
/// Limited to classes because every request passes an optional phase around, and copying a reference needs no type
/// look-up.
package protocol RequestPhase: AnyObject, Sendable {}
