// Stands before flock(2), which grants every lock to everybody.

int flock(int descriptor, int operation) {
    (void)descriptor, (void)operation;
    return 0;
}
