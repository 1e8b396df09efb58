internal import Platform
import Store

/// Compacts the journal of a directory into its bases when the journal has grown long.
final class CompactionSchedule {
    private let directory: StoreDirectory
    private let settings: StoreSettings
    private let log: (String) -> Void
    private var compaction: Compaction?
    /// Whether it merges all bases.
    private var mergesAll = false
    /// When to retry after a failure; nil if nothing has failed.
    private var retry: Retry?
    /// Whether the lack of disk space was already logged.
    private var hasWarnedOfRoom = false

    private struct Retry {
        /// The epoch that could not be compacted.
        let epoch: Int
        /// The length of the journal at which to compact it.
        let journalBytes: Int
        /// The monotonic time at which to merge all bases.
        let milliseconds: Int
    }

    init(of directory: StoreDirectory, settings: StoreSettings, log: @escaping (String) -> Void) {
        (self.directory, self.settings, self.log) = (directory, settings, log)
        directory.compactions = self
    }

    /// Handles the outcome of the last compaction, and starts a new one if it is due. Nothing may be staged.
    func startIfDue(_ space: LayeredSpace) {
        handleOutcome()
        guard compaction == nil, isDue else { return }
        do throws(StoreError) {
            let bases = basesToMerge
            guard try hasRoom(merging: bases), directory.journal.obstacleToCompaction == nil else { return }
            let source = try directory.compactionSource(space, merging: bases)
            let compaction = Compaction(settings.calls)
            (self.compaction, mergesAll) = (compaction, source.mergesAll)
            compaction.start(source)
        } catch {
            log("the journal cannot be compacted: \(error)")
        }
    }

    /// Cancels a running compaction. If it was done all the same, the next check of the manifest opens its epoch.
    func cancel() {
        compaction?.cancel()
        handleOutcome()
    }

    /// Starts a compaction of a journal of any length and of all bases, and waits until it has ended.
    ///
    /// No compaction of this process may be running; see `cancel()`.
    ///
    /// - Returns: false if another process is compacting.
    func compactNow(_ space: LayeredSpace, progress: (Int) -> Void) throws(StoreError) -> Bool {
        let bases = directory.manifest.segments.count
        let room = try directory.roomToCompact(merging: bases)
        guard room.free >= room.needed else { throw .diskFull }
        let source = try directory.compactionSource(space, merging: bases)
        let compaction = Compaction(settings.calls)
        self.compaction = compaction
        switch compaction.run(source, progress: progress) {
        case .done: return true
        case .skipped, .cancelled:
            self.compaction = nil
            return false
        case .failed(let error):
            self.compaction = nil
            throw error
        }
    }

    /// Ends a running compaction. It waits for an overdue compaction and cancels any other. Without the wait, a
    /// directory that only short-lived processes use would never be compacted.
    func close() {
        guard let compaction else { return }
        if isOverdue || directory.isMergeDue && mergesAll { compaction.wait() } else { compaction.cancel() }
        handleOutcome()
    }

    /// Waits for a running compaction that is overdue. The next transaction opens its epoch.
    func waitIfOverdue() {
        if isOverdue { compaction?.wait() }
    }

    private var isOverdue: Bool { newBytes >= 2 * dueBytes }

    private var isDue: Bool {
        if newBytes >= dueBytes, directory.journal.length >= lastRetry?.journalBytes ?? 0 { return true }
        return canMergeAll
    }

    /// Whether the merge of all bases is due, and the last attempt is long enough ago if it has failed.
    private var canMergeAll: Bool {
        directory.isMergeDue && settings.calls.monotonicMilliseconds >= lastRetry?.milliseconds ?? 0
    }

    /// What failed in this epoch. A new one starts afresh, whichever process has compacted.
    private var lastRetry: Retry? { retry?.epoch == directory.manifest.epoch ? retry : nil }

    /// The length of what a compaction moves from the journal into a base. The rest would not become shorter.
    private var newBytes: Int { directory.journal.length - directory.journal.replay.carriedLength }

    private var dueBytes: Int {
        max(settings.compactedJournalBytesMin, directory.journal.replay.carriedLength / Limits.carriedPart)
    }

    /// The number of bases that the next compaction merges, the newest first: each one that is not much larger than all
    /// before it and the journal. So the sizes of the bases form a geometric sequence: there are few of them, and an
    /// entry is written a few times for each.
    ///
    /// If merging all is due and has failed, as without room for it, the journal is compacted all the same.
    private var basesToMerge: Int {
        let segments = directory.manifest.segments
        guard !canMergeAll else { return segments.count }
        var (bytes, count) = (newBytes, 0)
        while count < segments.count, segments[count].bytes < Limits.baseGrowth * bytes {
            bytes += segments[count].bytes
            count += 1
        }
        return count
    }

    /// Whether the disk has room for the new files beside the old ones. If not, this is logged once, and the compaction
    /// is retried when the journal has grown further.
    private func hasRoom(merging bases: Int) throws(StoreError) -> Bool {
        let room = try directory.roomToCompact(merging: bases)
        if room.free >= room.needed {
            hasWarnedOfRoom = false
            return true
        }
        retryLater()
        if !hasWarnedOfRoom {
            log(
                "the journal is not compacted: that needs \(room.needed) bytes, and the disk has \(room.free) free"
            )
        }
        hasWarnedOfRoom = true
        return false
    }

    private func retryLater() {
        retry = Retry(
            epoch: directory.manifest.epoch,
            journalBytes: directory.journal.length + dueBytes / 4,
            milliseconds: settings.calls.monotonicMilliseconds + settings.erasureSeconds * 1_000
        )
    }

    private func handleOutcome() {
        guard let outcome = compaction?.outcome else { return }
        if case .failed(let error) = outcome {
            log("the journal could not be compacted and keeps growing: \(error)")
        }
        if case .done(let prepared) = outcome, prepared.manifest.epoch > directory.manifest.epoch {
            // The new epoch is opened at the next check of the manifest.
            return
        }
        compaction = nil
        retryLater()
    }

    /// Whether a compaction of this process is running, or has just installed a manifest.
    var isUnderWay: Bool { compaction != nil }

    /// The state that belongs to a manifest, if a compaction of this process has installed it.
    func takePrepared(for manifest: Manifest) -> PreparedEpoch? {
        // The manifest may be visible a moment before the compaction's thread has set its outcome.
        compaction?.wait(milliseconds: 100)
        guard case .done(let prepared) = compaction?.outcome, prepared.manifest == manifest else { return nil }
        compaction = nil
        return prepared
    }
}
