import Accounts
import Platform
import Service
import Store

extension Command {
    /// Adds the users of another program's export to the store.
    func importUsers(_ options: Options, from source: UserSource) throws(CommandError) {
        let path = try directory(options)
        let export = try source.open(options.paths[0])
        let wiring = try Wiring(options)
        let bar = ProgressBar()
        let incoming = UserImport(
            export: export,
            api: wiring.backend.apis[source.api],
            store: wiring.backend.store,
            bar: bar
        ) { line in
            bar.end()
            // A text from the file may contain control characters.
            StandardError.write(line: SystemString(line).description)
        }
        defer {
            bar.end()
            wiring.finish()
        }
        var result = UserImport.Result()
        do {
            if source.skipsInvalid {
                try incoming.parse()
            } else {
                let refused = try incoming.check()
                guard refused == 0 else {
                    throw CommandError.failed("nothing was imported; users that cannot be imported: \(refused)")
                }
            }
            try incoming.add(&result)
        } catch {
            wiring.backend.store.discardStaged()
            let reason = (error as? CommandError)?.message ?? "\(error)"
            throw .failed(result.added == 0 ? reason : "\(reason); imported before: \(result.added) accounts")
        }
        bar.end()
        print("imported: \(result.added) accounts into \(path)")
        guard result.refused > 0 else { return }
        print("not imported: \(result.refused)")
        // Without --skip-invalid, the users changed after they were checked.
        if !source.skipsInvalid { throw .failed("users that cannot be imported: \(result.refused)") }
    }
}
