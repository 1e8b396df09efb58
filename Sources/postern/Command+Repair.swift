import Accounts
import Store

extension Command {
    /// Verifies all of the store.
    func check(_ options: Options) throws(CommandError) {
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
        if report.hasMore { print("fault: and more") }
        guard report.faults.isEmpty else {
            throw .failed(
                report.isDamaged
                    ? "the store at \(path) is damaged; postern salvage saves what can be read of it"
                    : "the store at \(path) holds what does not fit; export it, put that right and import it"
            )
        }
        print("sound: \(report.entries) entries of \(report.transactions) transactions")
    }

    /// Saves what can be read of a damaged store.
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
        guard report.losses.isEmpty else { throw .failed("not all could be saved") }
    }
}
