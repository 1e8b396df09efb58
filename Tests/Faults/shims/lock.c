// Replaces flock(2) with a function that grants every lock.

int flock(int descriptor, int operation) {
    (void)descriptor, (void)operation;
    return 0;
}
