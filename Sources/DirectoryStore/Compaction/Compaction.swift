internal import Synchronization
internal import Platform
import Store

/// The state of the store from which a compaction starts. It no longer changes.
///
/// Safe to send: a key space is a value type, and the bytes of its values never change. The compaction does not access
/// the decoded records of the values.
struct CompactionSource: @unchecked Sendable {
    let directory: Directory
    let manifest: Manifest
    let settings: StoreSettings
    let space: LayeredSpace
    /// The state after reading the journal.
    let replay: JournalReplay
    /// The number of bases that the compaction merges, the newest first. The older ones are kept.
    let basesMerged: Int
    /// When all bases are to be merged, in Unix time; nil if no time is set, or if this compaction merges them.
    let mergeDue: Int?

    /// The names of the files that the new ones replace.
    var filesReplaced: [String] { [manifest.journal] + manifest.segments.prefix(basesMerged).map(\.file) }

    /// Whether all bases are merged. Then nothing of removed keys is left.
    var mergesAll: Bool { basesMerged == manifest.segments.count }
}

/// Compacts the journal of a directory into a new base. Other processes may use the directory at the same time.
///
/// The new base has the entries that the store held when the compaction began, except those of bases that are kept.
/// The new journal starts with the erasable values, which are never in a base, and continues with the transactions
/// since then. If these are many, most of them get another base. The files are written and synced without the lock. The
/// lock is held only at the end, for a few syncs: to carry over the last transactions, to rename the manifest, and to
/// remove the files that the manifest no longer names.
///
/// If an error happens before the manifest is renamed, the old manifest stays valid and the new files are removed, if
/// necessary by the next process that opens the store. An error after the rename leaves the files of both epochs; the
/// next process that opens the store resolves this.
///
/// Safe to share: the state is behind a lock, and system calls may be made on any thread.
final class Compaction: @unchecked Sendable {
    /// How a compaction ended.
    enum Outcome: Sendable {
        case done(PreparedEpoch)
        /// Another process is compacting, or has compacted.
        case skipped
        case cancelled
        case failed(StoreError)
    }

    private struct State {
        var outcome: Outcome?
        var isCancelled = false
    }

    private let state = Mutex(State())
    private let calls: any SystemCalls

    init(_ calls: any SystemCalls) {
        self.calls = calls
    }

    /// Runs the compaction on a new thread.
    func start(_ source: CompactionSource) {
        let isStarted = calls.startThread { [self] in
            calls.lowerPriority()
            run(source)
        }
        // If no thread can be started, the journal grows until a later attempt succeeds.
        if !isStarted { state.withLock { $0.outcome = .skipped } }
    }

    /// Runs the compaction on the calling thread.
    ///
    /// - Parameter progress: called regularly with the number of entries in the new base so far.
    @discardableResult
    func run(_ source: CompactionSource, progress: (Int) -> Void = { _ in }) -> Outcome {
        let outcome = outcome(of: source, progress: progress)
        state.withLock { $0.outcome = outcome }
        return outcome
    }

    private func outcome(of source: CompactionSource, progress: (Int) -> Void) -> Outcome {
        do throws(StoreError) {
            let compactionLock = try CompactionLock(in: source.directory, calls: source.settings.calls)
            guard try compactionLock.takeIfFree() else { return .skipped }
            defer { compactionLock.release() }
            // If another process has compacted since the source was read, the files of the next epoch are the current
            // ones. While this lock is held, no other process can compact.
            let files = StoreFiles(
                directory: source.directory,
                calls: source.settings.calls,
                personal: source.settings.personalCollections
            )
            guard try files.manifest()?.0 == source.manifest else { return .skipped }
            var epoch = try NextEpoch(after: source, files)
            do throws(StoreError) {
                try epoch.writeBase { entries in
                    progress(entries)
                    return !isCancelled
                }
                guard !isCancelled else {
                    epoch.removeFiles()
                    return .cancelled
                }
                guard let prepared = try epoch.takeOver(goOn: { !isCancelled }) else {
                    epoch.removeFiles()
                    return .cancelled
                }
                return .done(prepared)
            } catch {
                epoch.removeFiles()
                throw error
            }
        } catch {
            return .failed(error)
        }
    }

    /// The outcome; nil while the compaction runs.
    var outcome: Outcome? { state.withLock { $0.outcome } }

    /// Cancels the compaction, unless it is almost done, and waits for its end.
    func cancel() {
        state.withLock { $0.isCancelled = true }
        wait()
    }

    /// Waits for the end of the compaction, or until the time is over.
    func wait(milliseconds: Int = .max) {
        var waited = 0
        while outcome == nil, waited < milliseconds {
            calls.sleep(microseconds: 1_000)
            waited += 1
        }
    }

    private var isCancelled: Bool { state.withLock { $0.isCancelled } }
}
