import Store

@testable import Accounts

/// What a secret that is not valid is refused with.
private let refusal = AccountError(ErrorCode.Service.invalidRequest)

extension MailedCodes {
    /// The holder; nil where the code is refused.
    func redeem(_ purpose: Purpose, _ code: String, at now: Timestamp, in tx: Transaction) throws -> Int? {
        do {
            return try redeem(purpose, code, at: now, in: tx, orThrow: refusal)
        } catch is AccountError {
            return nil
        }
    }

    /// The holder; nil where the code is refused.
    func find(_ purpose: Purpose, _ code: String, at now: Timestamp, in tx: Transaction) throws -> Int? {
        do {
            return try find(purpose, code, at: now, in: tx, orThrow: refusal)
        } catch is AccountError {
            return nil
        }
    }
}

extension Sessions {
    /// The account; nil where the token is refused.
    func account(holding token: String, at now: Timestamp, in tx: Transaction) throws -> Int? {
        do {
            return try account(holding: token, at: now, in: tx, orThrow: refusal)
        } catch is AccountError {
            return nil
        }
    }
}
