import DirectoryStore
import Accounts
import Store

extension Command {
    /// Verifies the whole store and prints the faults.
    func check(_ options: Options) throws(CommandError) {
        if let remote = try RemoteStore.open(options, Log(level: options.logLevel)) { return try check(remote) }
        let path = try directory(options)
        let bar = ProgressBar()
        let report: StoreCheck.Report
        do throws(StoreError) {
            defer { bar.end() }
            report = try StoreCheck.run(path, types: RecordTypes.all, settings: options.store, progress: bar.show)
        } catch {
            throw .store(error)
        }
        for note in report.notes { print("note: \(note)") }
        for fault in report.faults { print("fault: \(fault)") }
        if report.hasMore { print("fault: more faults are not listed") }
        guard report.faults.isEmpty else {
            throw .failed(
                report.isDamaged
                    ? "the store at \(path) is damaged; postern salvage copies its readable records"
                    : "the store at \(path) has records that break rules; export it, correct them and import it"
            )
        }
        print("sound: \(report.entries) entries of \(report.transactions) transactions")
    }

    private func check(_ remote: RemoteStore) throws(CommandError) {
        let bar = ProgressBar()
        do {
            defer { bar.end() }
            let report = try remote.check(progress: bar.show)
            bar.end()
            for fault in report.faults { print("fault: \(fault)") }
            if report.hasMore { print("fault: more faults are not listed") }
            guard report.faults.isEmpty else { throw CommandError.failed("the store has faults") }
            print("sound: \(report.entries) entries")
        } catch let error as CommandError {
            throw error
        } catch let error as StoreError {
            throw .store(error)
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Copies the readable records of a damaged store to a new store.
    func salvage(_ options: Options) throws(CommandError) {
        let path = try directory(options)
        let bar = ProgressBar()
        let report: StoreSalvage.Report
        do throws(StoreError) {
            defer { bar.end() }
            report = try StoreSalvage.run(
                path,
                to: options.paths[0],
                types: RecordTypes.all,
                settings: options.store,
                progress: bar.show
            )
        } catch {
            throw .store(error)
        }
        for loss in report.losses { print("lost: \(loss)") }
        print("saved: \(report.records) records to \(options.paths[0])")
        guard report.losses.isEmpty else { throw .failed("some data could not be saved") }
    }
}
