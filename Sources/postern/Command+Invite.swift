import Accounts
import Service
import Store

extension Command {
    /// Creates, lists or revokes invitations of the sales API.
    func invite(_ options: Options) throws(CommandError) {
        switch (options.words.first, options.words.count) {
        case (nil, 0): try createInvitation(options)
        case ("list", 1): try listInvitations(options)
        case ("revoke", 2): try revokeInvitation(options.words[1], options)
        default: throw .usage("postern invite takes \(words)")
        }
    }

    private func createInvitation(_ options: Options) throws(CommandError) {
        let role = try options.inviterRole
        let code = try withSales(options) { sales in
            try sales.invite(role, uses: options.uses, goodFor: options.expiresSeconds, actor: options.actor)
                .referralCode
        }
        print(code)
    }

    private func listInvitations(_ options: Options) throws(CommandError) {
        let invitations = try withSales(options) { sales in
            var (all, next): ([ValidInvitation], Int?) = ([], 0)
            while let after = next {
                let page = try sales.invitations(after: after, limit: Accounts.Limits.adminPageMax)
                (all, next) = (all + page.invitations, page.next)
            }
            return all
        }
        for invitation in invitations {
            print("\(invitation.id)\t\(invitation.role)\t\(invitation.usesLeft)\t\(invitation.expires)")
        }
    }

    private func revokeInvitation(_ word: String, _ options: Options) throws(CommandError) {
        guard let id = Int(word) else { throw .usage("the ID of an invitation is a number, not \(word)") }
        let isRevoked = try withSales(options) { try $0.revokeInvitation(id, actor: options.actor) }
        guard isRevoked else { throw .failed("there is no invitation \(id)") }
    }

    /// Runs `body` with the sales API, makes its writes durable and closes the store.
    private func withSales<Value>(_ options: Options, _ body: (Sales) throws -> Value) throws(CommandError) -> Value {
        let backend = try Wiring(options).backend
        defer { backend.store.close() }
        do {
            let value = try body(backend.apis.sales)
            try backend.store.makeDurable()
            return value
        } catch {
            throw .failed("\(error)")
        }
    }
}
