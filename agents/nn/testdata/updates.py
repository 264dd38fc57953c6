"""Writes updates.json: losses and gradients of a PPO and a DQN minibatch by
PyTorch's autograd in float64, on stored inputs. TestUpdateTorch reads it.

    python3 updates.py > updates.json
"""

import json

import torch
from torch import nn

torch.manual_seed(3)
torch.set_default_dtype(torch.float64)
INPUTS, ACTIONS, ROWS = 4, 2, 10


def net(sizes, activation):
    layers = []
    for i, o in zip(sizes, sizes[1:]):
        layers += [nn.Linear(i, o), activation()]
    return nn.Sequential(*layers[:-1])


def flat(tensors):
    return torch.cat([t.reshape(-1) for t in tensors]).tolist()


actor, critic = net([INPUTS, 18, 18, ACTIONS], nn.Tanh), net([INPUTS, 18, 18, 1], nn.Tanh)
log_std = nn.Parameter(torch.tensor([-0.3, 0.1]))
q, target = net([INPUTS, 18, 17, 3], nn.ReLU), net([INPUTS, 18, 17, 3], nn.ReLU)
obs, after, actions = torch.randn(ROWS, INPUTS), torch.randn(ROWS, INPUTS), torch.randn(ROWS, ACTIONS)
advantage, returns, reward = torch.randn(ROWS), torch.randn(ROWS), torch.randn(ROWS)
action, discounts = torch.randint(3, (ROWS,)), torch.tensor([0.99] * 8 + [0.0] * 2)
rows = torch.tensor([3, 0, 4, 7, 9, 1, 1, 8])
with torch.no_grad():
    normal = torch.distributions.Normal(actor(obs), log_std.exp())
    old = normal.log_prob(actions).sum(1) + 0.3 * torch.randn(ROWS)

ratio = (torch.distributions.Normal(actor(obs[rows]), log_std.exp()).log_prob(actions[rows]).sum(1) - old[rows]).exp()
weight = advantage[rows]
weight = (weight - weight.mean()) / (weight.std() + 1e-8)
policy_loss = torch.max(-weight * ratio, -weight * ratio.clamp(0.8, 1.2)).mean()
ppo = policy_loss + 0.5 * 0.5 * ((critic(obs[rows]).squeeze(1) - returns[rows]) ** 2).mean()
ppo.backward()
with torch.no_grad():
    goal = reward[rows] + discounts[rows] * target(after[rows]).max(1).values
dqn = nn.functional.mse_loss(q(obs[rows]).gather(1, action[rows, None]).squeeze(1), goal)
dqn.backward()

actor_params = [*actor.parameters(), log_std]
print(json.dumps({
    "Actor": flat(actor_params), "Critic": flat(critic.parameters()), "Net": flat(q.parameters()), "Target": flat(target.parameters()),
    "Obs": flat([obs]), "After": flat([after]), "Actions": flat([actions]),
    "Old": old.tolist(), "Advantage": advantage.tolist(), "Returns": returns.tolist(), "Reward": reward.tolist(), "Discounts": discounts.tolist(),
    "Action": action.tolist(), "Rows": rows.tolist(), "PPO": ppo.item(), "DQN": dqn.item(),
    "ActorGrad": flat(p.grad for p in actor_params), "CriticGrad": flat(p.grad for p in critic.parameters()), "NetGrad": flat(p.grad for p in q.parameters()),
}))
