import Accounts
import JSONRPC

/// Randomness and password hashing for requests that are run more than once.
///
/// Password work is left to other threads: a request that needs some is stopped, and run again once it is done. A run
/// must meet with the same random values as the one before it, or it would ask for different work for ever.
final class RerunEffects: RandomSource, PasswordHasher {
    /// The random values that a request has drawn.
    private final class Draws {
        var values: [[UInt8]] = []
    }

    private let random: any RandomSource
    private let hasher = Argon2idHasher()
    private var run: (any RequestRun)?
    private var outcomesUsed = 0
    private var drawsUsed = 0

    init(random: any RandomSource) {
        self.random = random
    }

    /// Says which request runs from now on; nil for one that never needs a second run.
    func begin(_ run: (any RequestRun)?) {
        self.run = run
        outcomesUsed = 0
        drawsUsed = 0
    }

    func bytes(_ count: Int) -> [UInt8] {
        guard let run else { return random.bytes(count) }
        let draws = run.memory as? Draws ?? Draws()
        run.memory = draws
        if drawsUsed == draws.values.count || draws.values[drawsUsed].count != count {
            draws.values.removeSubrange(drawsUsed...)
            draws.values.append(random.bytes(count))
        }
        defer { drawsUsed += 1 }
        return draws.values[drawsUsed]
    }

    func hash(_ password: Password) throws -> PasswordHash {
        guard case .hash(let hash) = try outcome(of: .hash(password: password)) else {
            return try hasher.hash(password)
        }
        return hash
    }

    func verify(_ password: Password, against hash: PasswordHash) throws -> Bool {
        guard case .verified(let isRight) = try outcome(of: .verify(password: password, against: hash)) else {
            return try hasher.verify(password, against: hash)
        }
        return isRight
    }

    func needsRehash(_ hash: PasswordHash) -> Bool { hasher.needsRehash(hash) }

    var decoy: PasswordHash { hasher.decoy }

    /// The outcome of work; nil where it is to be done in place.
    private func outcome(of work: PasswordWorkPending.Work) throws -> PasswordOutcome.Value? {
        guard let run else { return nil }
        if outcomesUsed < run.outcomes.count, let outcome = run.outcomes[outcomesUsed] as? PasswordOutcome,
            outcome.work == work
        {
            outcomesUsed += 1
            guard case .failed(let failure) = outcome.value else { return outcome.value }
            throw failure
        }
        // What was found out for an account as it was before is of no use for the account as it is now.
        run.outcomes.removeSubrange(outcomesUsed...)
        throw PasswordWorkPending(work)
    }
}

/// Password work that was done.
struct PasswordOutcome: Sendable {
    enum Value: Sendable {
        case hash(PasswordHash)
        case verified(Bool)
        case failed(PasswordHashingFailed)
    }

    let work: PasswordWorkPending.Work
    let value: Value

    /// Does the work.
    init(of work: PasswordWorkPending.Work) {
        let hasher = Argon2idHasher()
        self.work = work
        do throws(PasswordHashingFailed) {
            switch work {
            case .hash(let password): self.value = .hash(try hasher.hash(password))
            case .verify(let password, let hash): self.value = .verified(try hasher.verify(password, against: hash))
            }
        } catch {
            self.value = .failed(error)
        }
    }
}
