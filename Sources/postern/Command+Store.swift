import Accounts
import Service
import Store

extension Command {
    /// Gives out a referral code.
    func invite(_ options: Options) throws(CommandError) {
        let backend = try Wiring(options).backend
        defer { backend.store.close() }
        do {
            let code = try backend.sales.invite(options.role)
            try backend.store.makeDurable()
            print(code)
        } catch {
            throw .failed("\(error)")
        }
    }

    /// Counts what the store holds.
    func showStatistics(_ options: Options) throws(CommandError) {
        let store = try Wiring(options).backend.store
        defer { store.close() }
        let statistics: StoreStatistics
        do throws(StoreError) {
            statistics = try store.statistics()
        } catch {
            throw .failed("\(error)")
        }
        print("store         \(statistics.kind)")
        print("transactions  \(statistics.transactions)")
        print("base          \(statistics.baseBytes) bytes")
        print("journal       \(statistics.journalBytes) bytes")
        for collection in statistics.collections { print("\(collection.name): \(collection.records)") }
    }
}
