/// The account APIs over one store. A class, as every later phase is handed them.
package final class AccountAPIs {
    /// The store and every source of effects.
    package let environment: Environment
    /// Field operators and their clients.
    package let operators: Operators
    /// Users, clinicians and their patients.
    package let care: Care
    /// Customers, salespeople and internal users.
    package let sales: Sales

    /// - Parameter operatorsConfirmEmail: whether an operator has to confirm the email before signing in.
    package init(_ environment: Environment, operatorsConfirmEmail: Bool = true) {
        self.environment = environment
        operators = Operators(environment, confirmsEmail: operatorsConfirmEmail)
        care = Care(environment)
        sales = Sales(environment)
    }
}
