"""Bandit policies on five subject lines, in NumPy.

`loop` is what a practitioner writes: one send after the other, arrays of counts
and means, np.argmax and a default_rng. `lockstep` is the strongest form without
a compiler: every array has the runs as its first axis, so each NumPy call does
the work of all runs.

World, policies and their parameters are those of Overnight's defaults: 10,000
sends, five arms whose rates each run draws from 0.1 to 0.6, epsilon 0.1, softmax
at temperature 0.02, UCB1, KL-UCB with c = 0, Thompson from Beta(1, 1). All but
uniform and Thompson play each arm once first.

The loop keeps the arm and the outcome of each send and makes from them, at the
end, what Overnight reports of a run; lockstep sums regret and conversions.
Prints, per policy: microseconds of CPU
time a send, the number of runs, and the sum of their pseudo-regrets and of the
squares of those.

    python3 numpy_bandits.py loop [--seconds 1] [--seed 1] [--policies uniform,ucb1]
    python3 numpy_bandits.py lockstep [--runs 256]
"""

import argparse
import math
import time

import numpy as np

SENDS, ARMS, LOW, HIGH = 10_000, 5, 0.1, 0.6
EPSILON, TEMPERATURE = 0.1, 0.02


def metrics(rates, arms, rewards):
    """Pseudo-regret, conversions, share of the best arm, sends until it had 90 % of
    the last 500, and the gap of the arm sent most in the last tenth."""
    best = arms == rates.argmax()
    recent = np.convolve(best, np.ones(500), "valid")
    reached = np.flatnonzero(recent >= 450)
    late = np.bincount(arms[-SENDS // 10:], minlength=ARMS).argmax()
    return ((rates.max() - rates[arms]).sum(), rewards.sum(), best.mean(),
            reached[0] + 500 if len(reached) else SENDS + 1, rates.max() - rates[late])


# One run, one send after the other. Each returns the metrics of the run.


def uniform(rng, rates):
    counts = np.zeros(ARMS)
    sums = np.zeros(ARMS)
    arms, rewards = np.zeros(SENDS, int), np.zeros(SENDS)
    for t in range(SENDS):
        arm = rng.integers(ARMS)
        reward = 1.0 if rng.random() < rates[arm] else 0.0
        counts[arm] += 1
        sums[arm] += reward
        arms[t], rewards[t] = arm, reward
    return metrics(rates, arms, rewards)


def epsilon_greedy(rng, rates):
    counts = np.zeros(ARMS)
    means = np.zeros(ARMS)
    arms, rewards = np.zeros(SENDS, int), np.zeros(SENDS)
    for t in range(SENDS):
        if t < ARMS:
            arm = t
        elif rng.random() < EPSILON:
            arm = rng.integers(ARMS)
        else:
            arm = np.argmax(means)
        reward = 1.0 if rng.random() < rates[arm] else 0.0
        counts[arm] += 1
        means[arm] += (reward - means[arm]) / counts[arm]
        arms[t], rewards[t] = arm, reward
    return metrics(rates, arms, rewards)


def ucb1(rng, rates):
    counts = np.zeros(ARMS)
    means = np.zeros(ARMS)
    arms, rewards = np.zeros(SENDS, int), np.zeros(SENDS)
    for t in range(SENDS):
        if t < ARMS:
            arm = t
        else:
            arm = np.argmax(means + np.sqrt(2 * np.log(t + 1) / counts))
        reward = 1.0 if rng.random() < rates[arm] else 0.0
        counts[arm] += 1
        means[arm] += (reward - means[arm]) / counts[arm]
        arms[t], rewards[t] = arm, reward
    return metrics(rates, arms, rewards)


def kl_bounds(means, counts, budget):
    """The highest q with count * kl(mean, q) <= budget, by bisection."""
    low, high = means.copy(), np.ones_like(means)
    p = np.clip(means, 1e-12, 1 - 1e-12)
    for _ in range(20):
        q = (low + high) / 2
        kl = p * np.log(p / q) + (1 - p) * np.log((1 - p) / np.maximum(1 - q, 1e-300))
        above = counts * kl > budget
        high = np.where(above, q, high)
        low = np.where(above, low, q)
    return low


def kl_ucb(rng, rates):
    counts = np.zeros(ARMS)
    means = np.zeros(ARMS)
    arms, rewards = np.zeros(SENDS, int), np.zeros(SENDS)
    for t in range(SENDS):
        if t < ARMS:
            arm = t
        else:
            arm = np.argmax(kl_bounds(means, counts, math.log(t + 1)))
        reward = 1.0 if rng.random() < rates[arm] else 0.0
        counts[arm] += 1
        means[arm] += (reward - means[arm]) / counts[arm]
        arms[t], rewards[t] = arm, reward
    return metrics(rates, arms, rewards)


def thompson(rng, rates):
    wins = np.ones(ARMS)
    losses = np.ones(ARMS)
    arms, rewards = np.zeros(SENDS, int), np.zeros(SENDS)
    for t in range(SENDS):
        arm = np.argmax(rng.beta(wins, losses))
        reward = 1.0 if rng.random() < rates[arm] else 0.0
        if reward:
            wins[arm] += 1
        else:
            losses[arm] += 1
        arms[t], rewards[t] = arm, reward
    return metrics(rates, arms, rewards)


def softmax(rng, rates):
    counts = np.zeros(ARMS)
    means = np.zeros(ARMS)
    arms, rewards = np.zeros(SENDS, int), np.zeros(SENDS)
    for t in range(SENDS):
        if t < ARMS:
            arm = t
        else:
            weights = np.exp((means - means.max()) / TEMPERATURE)
            arm = np.searchsorted(np.cumsum(weights), rng.random() * weights.sum())
        reward = 1.0 if rng.random() < rates[arm] else 0.0
        counts[arm] += 1
        means[arm] += (reward - means[arm]) / counts[arm]
        arms[t], rewards[t] = arm, reward
    return metrics(rates, arms, rewards)


LOOP = [uniform, epsilon_greedy, ucb1, kl_ucb, thompson, softmax]


# Runs in lockstep. Each policy chooses an arm for every run: from the send t, the
# counts and the sums of rewards, both [run, arm].


def choose_uniform(rng, t, counts, sums):
    return rng.integers(ARMS, size=len(counts))


def choose_epsilon_greedy(rng, t, counts, sums):
    arms = np.argmax(sums / counts, axis=1)
    explore = rng.random(len(arms)) < EPSILON
    arms[explore] = rng.integers(ARMS, size=int(explore.sum()))
    return arms


def choose_ucb1(rng, t, counts, sums):
    return np.argmax(sums / counts + np.sqrt(2 * math.log(t + 1) / counts), axis=1)


def choose_kl_ucb(rng, t, counts, sums):
    return np.argmax(kl_bounds(sums / counts, counts, math.log(t + 1)), axis=1)


def choose_thompson(rng, t, counts, sums):
    return np.argmax(rng.beta(1 + sums, 1 + counts - sums), axis=1)


def choose_softmax(rng, t, counts, sums):
    means = sums / counts
    weights = np.exp((means - means.max(axis=1, keepdims=True)) / TEMPERATURE)
    ends = np.cumsum(weights, axis=1)
    return (ends <= (rng.random(len(ends)) * ends[:, -1])[:, None]).sum(axis=1)


def lockstep(policy, rng, runs):
    rates = rng.uniform(LOW, HIGH, (runs, ARMS))
    gaps = rates.max(axis=1, keepdims=True) - rates
    counts, sums = np.zeros((runs, ARMS)), np.zeros((runs, ARMS))
    rows, regret, conversions = np.arange(runs), np.zeros(runs), np.zeros(runs)
    choose = globals()["choose_" + policy]
    once_first = policy not in ("uniform", "thompson")
    for t in range(SENDS):
        if once_first and t < ARMS:
            arms = np.full(runs, t)
        else:
            arms = choose(rng, t, counts, sums)
        rewards = rng.random(runs) < rates[rows, arms]
        counts[rows, arms] += 1
        sums[rows, arms] += rewards
        regret += gaps[rows, arms]
        conversions += rewards
    return regret


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("form", choices=["loop", "lockstep"])
    parser.add_argument("--seconds", type=float, default=1, help="loop: start no run of a policy after so long")
    parser.add_argument("--runs", type=int, default=256, help="lockstep: runs at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--policies", default=",".join(f.__name__ for f in LOOP))
    args = parser.parse_args()
    for policy in args.policies.split(","):
        rng = np.random.default_rng([args.seed, len(policy)])
        start = time.process_time()
        if args.form == "lockstep":
            regrets = lockstep(policy, rng, args.runs)
        else:
            regrets = []
            while not regrets or time.process_time() - start < args.seconds:
                regrets.append(globals()[policy](rng, rng.uniform(LOW, HIGH, ARMS))[0])
        took = time.process_time() - start
        n = len(regrets)
        micros = 1e6 * took / n / SENDS
        print(f"{args.form} {policy} us_per_send {micros:.4f} runs {n} sum {np.sum(regrets):.6f} squares {np.sum(np.square(regrets)):.6f}")


if __name__ == "__main__":
    main()
